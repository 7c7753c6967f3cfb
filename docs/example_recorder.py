"""Upload a recording to Spacekeep: example_recorder.py FILE HOST ENDED_AT

Set SPACEKEEP_URL and SPACEKEEP_TOKEN in the environment. Run it again with the same arguments to resume."""

import base64, hashlib, json, os, sys, time, urllib.error, urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path


def call(method, url, data, headers):
    try:
        with urllib.request.urlopen(urllib.request.Request(url, data, headers, method=method), timeout=300) as answer:
            return json.loads(answer.read() or b"null")
    except urllib.error.HTTPError as error:  # Spacekeep's words: "detail" says what to do
        sys.exit(f"{error.code}: {error.read().decode(errors='replace')}")
    except OSError as error:
        sys.exit(f"{getattr(error, 'reason', error)}. Run it again to resume.")


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


def read(number):
    with file.open("rb") as recording:
        recording.seek((number - 1) * upload["part_size"])
        return recording.read(upload["part_size"])


def sign(parts):
    return api("POST", f"/uploads/{upload['id']}/parts", {"parts": parts})["parts"], time.monotonic()


def send(numbers):
    sha256 = {number: base64.b64encode(hashlib.sha256(read(number)).digest()).decode() for number in numbers}
    wanted = [{"number": n, "sha256": sha256[n]} for n in numbers if stored.get(n) != sha256[n]]
    signed, signed_at = sign(wanted) if wanted else ([], 0)
    while signed:
        if time.monotonic() - signed_at > 60:  # slow network: these URLs end, so ask for new ones
            signed, signed_at = sign(wanted[-len(signed) :])
        part = signed.pop(0)
        headers = part["headers"] | {"Content-Type": "application/octet-stream"}  # else urllib says that it is a form
        call("PUT", part["url"], read(part["number"]), headers)  # straight to the store


if upload["state"] == "open":
    numbers = range(1, upload["part_count"] + 1)
    at_once = max(1, min(4, len(numbers) // 8))  # parts whose URLs come with one request
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(send, [numbers[i : i + at_once] for i in range(0, len(numbers), at_once)]))
api("POST", f"/uploads/{upload['id']}/complete", {})
while (state := api("GET", f"/spaces/{space['id']}"))["state"] == "processing":
    time.sleep(1)
print(state["id"], state["state"], state["problem"])
