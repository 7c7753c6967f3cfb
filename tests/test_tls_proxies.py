"""ops/tls: nginx and Caddy in front of `proxy` and of the store, configured as in docs/operations.md."""

import http.client
import re
import shutil
import signal
import ssl
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from django.conf import settings

from embedded.nginx import Nginx, find_binary
from embedded.process import Process
from embedded.state import is_free
from tests.support.behind_nginx import nginx_before
from tests.support.echo import Echo
from tests.support.processes import ROOT, free_port
from tests.support.waiting import wait_until

FOLDER = ROOT / "ops/tls"
CADDY = shutil.which("caddy")
FORGED = {"X-Forwarded-For": "203.0.113.7", "X-Forwarded-Proto": "http", "X-Request-ID": "chosen-by-the-client"}
TLS = ssl.create_default_context()
TLS.check_hostname, TLS.verify_mode = False, ssl.CERT_NONE  # certificates that this test creates


@dataclass
class Front:
    """A proxy that terminates TLS, on one port per host."""

    process: Process
    portal: int
    store: int
    proxy: Nginx

    def log(self) -> str:
        return "".join(path.read_text() for path in self.process.log.parent.glob("*.log"))

    def ask(self, port: int, path: str, method: str = "GET", body: Any = None, **headers: str) -> tuple[int, bytes]:
        connection = http.client.HTTPSConnection("localhost", port, timeout=20, context=TLS)
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()


def replaced(text: str, places: dict[str, str]) -> str:
    """Return the documented file with this test's addresses. Each replaced one must appear in it, outside of
    comments."""
    for old, new in places.items():
        assert re.search(rf"^[^#\n]*{re.escape(old)}", text, re.MULTILINE), old
        text = text.replace(old, new)
    return text


def caddy(folder: Path, places: dict[str, str], portal: int, store: int) -> Process:
    names = {"spaces.example.org": f"localhost:{portal}", "objects.example.org": f"localhost:{store}"}
    text = replaced((FOLDER / "Caddyfile").read_text(), {**places, **names})
    local = "{\n\tadmin off\n\tlocal_certs\n\tskip_install_trust\n\tauto_https disable_redirects\n"
    (folder / "Caddyfile").write_text(text.replace("{\n", local, 1))
    process = Process("caddy", folder / "caddy.log")
    env = {"HOME": str(folder), "XDG_DATA_HOME": str(folder / "data"), "PATH": "/usr/bin:/bin"}
    process.spawn([str(CADDY), "run", "--config", "Caddyfile"], cwd=folder, env=env, death_signal=signal.SIGKILL)
    wait_until(lambda: "serving initial configuration" in process.log.read_text(), "Caddy serves")
    return process


def nginx(folder: Path, places: dict[str, str], portal: int, store: int) -> Process:
    subject = ["-subj", "/CN=localhost", "-keyout", "key.pem", "-out", "certificate.pem"]
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", *subject]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    text = replaced((FOLDER / "nginx.conf").read_text(), {**places, "listen 80;": f"listen 127.0.0.1:{free_port()};"})
    text = re.sub(r"(ssl_certificate) \S+;", rf"\1 {folder}/certificate.pem;", text)
    text = re.sub(r"(ssl_certificate_key) \S+;", rf"\1 {folder}/key.pem;", text)
    text = text.replace("/var/log/nginx/error.log", f"{folder}/error.log")
    for port in (portal, store):
        text = text.replace("listen 443 ssl;", f"listen 127.0.0.1:{port} ssl;", 1)
    folders = "".join(f"{kind}_temp_path t/{kind}; " for kind in ("proxy", "fastcgi", "uwsgi", "scgi"))
    (folder / "t").mkdir()
    http_block = f"http {{ client_body_temp_path t/body; {folders}\n{text}\n}}"
    (folder / "nginx.conf").write_text(f"pid nginx.pid;\nevents {{}}\n{http_block}\n")
    process = Process("nginx", folder / "stderr.log")
    options = ["-p", ".", "-e", "stderr", "-c", "nginx.conf", "-g", "daemon off; user root;"]
    process.spawn([str(find_binary()), *options], cwd=folder, death_signal=signal.SIGKILL)
    wait_until(lambda: not (is_free(portal) or is_free(store)), "nginx serves")
    return process


MISSING = pytest.mark.skipif(CADDY is None, reason="caddy (Debian's package caddy) is not installed")


@pytest.fixture(params=[nginx, pytest.param(caddy, marks=MISSING)])
def front(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Front]:
    echo, portal, store = Echo(), free_port(), free_port()
    (tmp_path / "proxy").mkdir()
    (tmp_path / "front").mkdir()
    with nginx_before(tmp_path / "proxy", echo.address, "127.0.0.1:1", front="127.0.0.1") as proxied:
        engine = settings.S3_ENDPOINT_URL.removeprefix("http://")
        places = {"127.0.0.1:8000": f"127.0.0.1:{proxied.port}", "127.0.0.1:8333": engine}
        process = request.param(tmp_path / "front", places, portal, store)
        yield Front(process, portal, store, proxied.nginx)
        process.stop(signal.SIGTERM, 20)
    echo.listener.close()


def test_both_hosts_as_documented(front: Front) -> None:
    clients_tell_the_portal_nothing_about_themselves(front)
    the_store_takes_what_was_signed_for_its_name(front)
    no_line_has_a_path(front)


def clients_tell_the_portal_nothing_about_themselves(front: Front) -> None:
    status, body = front.ask(front.portal, "/search/?q=beans", **FORGED)

    assert status == 200
    headers = dict(line.split(": ", 1) for line in body.decode().splitlines()[1:] if ": " in line)
    assert headers["X-Forwarded-For"] == "127.0.0.1"
    assert headers["X-Forwarded-Proto"] == "https"
    assert headers["Host"] == f"localhost:{front.portal}"
    assert re.fullmatch(r"[0-9a-f-]{32,36}", headers["X-Request-ID"])


def the_store_takes_what_was_signed_for_its_name(front: Front) -> None:
    """More than one buffer, and a range of it back."""
    site = f"https://localhost:{front.store}"
    client = boto3.client(
        "s3",
        endpoint_url=site,
        aws_access_key_id=settings.S3["access_key"],
        aws_secret_access_key=settings.S3["secret_key"],
        region_name=settings.S3["region_name"],
        config=Config(signature_version="s3v4", s3={"addressing_style": "path"}),
    )
    where = {"Bucket": settings.S3["bucket_name"], "Key": "tls-proxy"}
    put, get, delete = (
        client.generate_presigned_url(f"{operation}_object", Params=where).removeprefix(site)
        for operation in ("put", "get", "delete")
    )
    content = bytes(range(256)) * 16384  # 4 MiB: nginx allows only 1 MiB by default

    assert front.ask(front.store, put, "PUT", content)[0] == 200
    assert front.ask(front.store, get) == (200, content)
    assert front.ask(front.store, get, Range="bytes=255-511") == (206, content[255:512])
    assert front.ask(front.store, delete, "DELETE")[0] == 204


def no_line_has_a_path(front: Front) -> None:
    """The URL of a bundle is a secret, so it must not be logged for a failed request either."""
    front.proxy.stop(hurry=lambda: True)

    status, _ = front.ask(front.portal, "/bundles/secret-of-a-bundle")

    assert status == 502
    front.process.stop(signal.SIGTERM, 20)
    assert "secret-of-a-bundle" not in front.log()
