"""Without a key, no port of the store gives access: neither the S3 gateway nor the ports behind it."""

import http.client
import json
import socket
import ssl
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest

from archive.errors import ObjectMissing
from archive.storage import store, write
from embedded.seaweedfs import BUCKET, PORT_NAMES
from embedded.state import TWIN
from tests import plugin
from tests.support.procfs import listening_sockets, process_tree

KEY = "anonymous/object.txt"
# All that they reveal: versions, numbers of volumes, and whether a part works. No key, no content, no token.
SHOWN = {
    "s3": {"/status", "/healthz"},
    "master": {"/", "/ui/index.html", "/cluster/status", "/healthz"},
    "volume": {"/status", "/healthz"},
    "filer": set(),
    "admin": {"/metrics"},
}
READS = [
    *("/", "/status", "/healthz", "/metrics", "/ui/index.html", "/cluster/status", "/dir/status", "/dir/assign"),
    *("/dir/lookup?volumeId=1", "/dir/lookup?fileId=1,01637037d6", "/vol/grow?count=1", "/vol/vacuum", "/vol/status"),
    *(f"/col/delete?collection={BUCKET}", f"/{BUCKET}", f"/{BUCKET}/{KEY}", f"/{BUCKET}?list-type=2"),
    *("/buckets/", f"/buckets/{BUCKET}/", f"/buckets/{BUCKET}/{KEY}", "/.tus/", "/submit", "/debug/pprof/"),
    *("/stats/disk", "/1,01637037d6", "/kms", "/topics", "/etc/iam/identity.json"),
]
CHANGES = [
    ("PUT", f"/{BUCKET}/{KEY}"),
    ("DELETE", f"/{BUCKET}/{KEY}"),
    ("DELETE", f"/{BUCKET}"),
    ("POST", f"/{BUCKET}?delete"),
    ("POST", f"/{BUCKET}/{KEY}?uploads"),
    ("PUT", f"/buckets/{BUCKET}/{KEY}"),
    ("POST", f"/buckets/{BUCKET}/{KEY}"),
    ("DELETE", f"/buckets/{BUCKET}/{KEY}"),
    ("DELETE", f"/buckets/{BUCKET}?recursive=true"),
    ("POST", "/dir/assign"),
    ("POST", "/submit"),
    ("POST", f"/col/delete?collection={BUCKET}"),
    ("POST", "/.tus/mine"),
    ("PUT", "/1,01637037d6"),
    ("POST", "/1,01637037d6"),
    ("DELETE", "/1,01637037d6"),
]
HTTP = [pytest.param(name, id=name) for name in PORT_NAMES]


@pytest.fixture
def stored() -> Iterator[None]:
    """A stored object, which no request of a stranger may change."""
    write(store(), KEY, BytesIO(b"secret words"), "text/plain", check=lambda: None)
    yield
    assert store().client.get_object(Bucket=store().bucket, Key=KEY)["Body"].read() == b"secret words"


def request(port: int, method: str, path: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.request(method, path, b"mine" if method != "GET" else None)
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def pid() -> int:
    return int((plugin.DATA / "seaweedfs.pid").read_text())


def port(name: str) -> int:
    return int(json.loads((plugin.DATA / "engines.json").read_text())[f"port:{name}"])


def test_every_listening_port_is_one_that_is_tried_here() -> None:
    ports = {number for _, number in listening_sockets(process_tree(pid()))}

    assert ports == {port(name) + twin for name in PORT_NAMES for twin in (0, TWIN)}


@pytest.mark.usefixtures("stored")
@pytest.mark.parametrize("name", HTTP)
def test_a_stranger_reads_nothing(name: str) -> None:
    answers = {path: request(port(name), "GET", path) for path in READS}

    assert {path for path, (status, _) in answers.items() if status < 400} == SHOWN[name]
    for _, body in answers.values():
        assert b"secret words" not in body
        assert b"anonymous/object" not in body or name == "s3"  # the gateway repeats the requested name
        assert b"auth" not in body.lower()


@pytest.mark.usefixtures("stored")
@pytest.mark.parametrize("name", HTTP)
def test_a_stranger_changes_nothing(name: str) -> None:
    answers = {(method, path): request(port(name), method, path)[0] for method, path in CHANGES}

    assert {change: status for change, status in answers.items() if status < 400} == {}
    with pytest.raises(ObjectMissing):
        store().head("mine")


@pytest.mark.parametrize("name", HTTP)
def test_grpc_refuses_whoever_has_no_certificate(name: str) -> None:
    tls = ssl.create_default_context()
    tls.check_hostname, tls.verify_mode = False, ssl.CERT_NONE
    tls.set_alpn_protocols(["h2"])

    with socket.create_connection(("127.0.0.1", port(name) + TWIN), timeout=20) as plain:
        plain.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(9))
        assert plain.recv(100) in {b"", b"\x15\x03\x01\x00\x02\x02\x16"}  # the TLS alert for requests without TLS
    with (
        socket.create_connection(("127.0.0.1", port(name) + TWIN), timeout=20) as connection,
        tls.wrap_socket(connection) as wrapped,
    ):
        wrapped.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(9))
        with pytest.raises(ssl.SSLError, match="certificate required"):
            wrapped.recv(100)


def test_only_we_can_read_the_keys() -> None:
    folder = plugin.DATA / "seaweedfs"

    assert {path.name: path.stat().st_mode & 0o777 for path in secrets(folder)} == {
        "s3.json": 0o600,
        "security.toml": 0o600,
        "grpc.key": 0o600,
    }


def secrets(folder: Path) -> list[Path]:
    return [folder / name for name in ("s3.json", "security.toml", "grpc.key")]
