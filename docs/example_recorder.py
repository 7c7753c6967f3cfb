"""Upload a recording to Spacekeep: example_recorder.py FILE HOST ENDED_AT

Set SPACEKEEP_URL and SPACEKEEP_TOKEN in the environment. Run it again with the same arguments to resume."""

import base64, hashlib, json, os, sys, time, urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path


def call(method, url, data, headers):
    with urllib.request.urlopen(urllib.request.Request(url, data, headers, method=method), timeout=300) as answer:
        return json.loads(answer.read() or b"null")


def api(method, path, body=None, **headers):
    headers |= {"Authorization": f"Bearer {os.environ['SPACEKEEP_TOKEN']}", "Content-Type": "application/json"}
    data = None if body is None else json.dumps(body).encode()
    return call(method, f"{os.environ['SPACEKEEP_URL']}/api/v1{path}", data, headers)


file, host, ended_at = Path(sys.argv[1]), *sys.argv[2:]
key = hashlib.sha256(f"{file} {host} {ended_at}".encode()).hexdigest()
space = api("POST", "/spaces", {"host": host, "ended_at": ended_at}, **{"Idempotency-Key": key})
started = [upload for upload in space["uploads"] if upload["state"] in ("open", "uploaded", "accepted")]
about = {"kind": "recording", "name": file.name, "size": file.stat().st_size}
upload = started[0] if started else api("POST", f"/spaces/{space['id']}/uploads", about)
stored = {part["number"]: part["announced_sha256"] for part in api("GET", f"/uploads/{upload['id']}")["parts"]}


def send(number):
    with file.open("rb") as recording:
        recording.seek((number - 1) * upload["part_size"])
        data = recording.read(upload["part_size"])
    sha256 = base64.b64encode(hashlib.sha256(data).digest()).decode()
    if stored.get(number) != sha256:
        request = {"parts": [{"number": number, "sha256": sha256}]}
        (part,) = api("POST", f"/uploads/{upload['id']}/parts", request)["parts"]
        headers = part["headers"] | {"Content-Type": "application/octet-stream"}  # else urllib says that it is a form
        call("PUT", part["url"], data, headers)  # straight to the store


if upload["state"] == "open":
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(send, range(1, upload["part_count"] + 1)))
api("POST", f"/uploads/{upload['id']}/complete", {})
while (state := api("GET", f"/spaces/{space['id']}"))["state"] == "processing":
    time.sleep(1)
print(state["id"], state["state"], state["problem"])
