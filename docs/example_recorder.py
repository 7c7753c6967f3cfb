"""Upload a recording to Spacekeep: example_recorder.py FILE HOST ENDED_AT

Set SPACEKEEP_URL and SPACEKEEP_TOKEN in the environment. Run it again with the same arguments to resume."""

import base64, hashlib, http.client, json, os, sys, time, urllib.error, urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

PAUSES = (1, 2, 4, 8, 16)  # seconds before another try, when a server is down or too busy


def call(method, url, data, headers, pauses=PAUSES):
    request = urllib.request.Request(url, data, headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=300) as answer:
            return json.loads(answer.read() or b"null")
    except urllib.error.HTTPError as error:
        words, may_pass = explain(error), error.code >= 500 or error.code == 429
    except (OSError, http.client.HTTPException) as error:  # no connection, or no answer
        words, may_pass = getattr(error, "reason", None) or error, True
    if not (pauses and may_pass):
        place = url.partition("?")[0]  # the query of a signed URL is a secret
        sys.exit(f"{method} {place}: {words}{'. Run it again to resume.' if may_pass else ''}")
    time.sleep(pauses[0])
    return call(method, url, data, headers, pauses[1:])


def explain(error):
    """What the answer says: the API sends problem+json (RFC 9457), the store and proxies anything."""
    body = error.read()
    try:
        problem = json.loads(body)
        return ": ".join(problem[name] for name in ("title", "detail") if problem.get(name))
    except (ValueError, TypeError, AttributeError):
        return f"{error.code} {error.reason} {body[:300].decode(errors='replace')}"


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
sys.exit(state["state"] == "rejected")
