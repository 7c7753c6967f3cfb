"""What the steps share: engines, the image's processes, nginx before them, and who looks at them from outside."""

import contextlib
import json
import re
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from email.message import Message
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import boto3
import psycopg

from embedded.engines import Engines
from embedded.nginx import Addresses, Nginx
from embedded.process import Process, last_lines
from embedded.state import HOST, State
from tests.image import _compose
from tests.image._compose import Service
from tests.image._container import Container, Folder, RootFolder
from tests.stores._server import free_ports

SERVICES = ("web", "health", "worker", "deleter", "beat")
PATIENCE = 300.0  # seconds for anything, on a machine with other work


class Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *args: Any) -> None:
        return None


class World:
    """`folder` gets everything. `space` and the others are what one step leaves for the next."""

    demo: str
    space: str
    ended_at: str
    recording: bytes
    signed_url: str
    token: str

    def __init__(self, folder: Path, root: Path | None) -> None:
        self.folder = folder
        self.engines = Engines(folder / "engines", fast=True)
        self.root = root
        self.processes: dict[str, Process] = {}
        self.nginx: Nginx | None = None
        self.opener = urllib.request.build_opener(Stay, urllib.request.HTTPCookieProcessor(CookieJar()))

    def begin(self) -> str:
        """Start the engines, and have the image ready. Returns the version of its Python."""
        self.engines.start()
        port, web, health = free_ports(3)
        self.site = f"http://{HOST}:{port}"
        self.ports = {"web": web, "health": health}
        addresses = Addresses(port, f"{HOST}:{web}", f"{HOST}:{health}")
        self.nginx = Nginx(self.folder / "proxy", State(self.folder / "proxy.json"), self.logs, _nothing, addresses)
        env = self.engines.env
        engines = ("DATABASE_URL", "DATABASE_OWNER_URL", "BROKER_URL", "S3_ACCESS_KEY_ID", "S3_SECRET_ACCESS_KEY")
        secrets = _compose.make_secrets({name.lower(): env[name] for name in engines})
        self.container: Container = (
            RootFolder(self.folder, secrets, self.root) if self.root else Folder(self.folder, secrets)
        )
        return self.container.prepare()

    @property
    def logs(self) -> Path:
        return self.folder / "logs"

    @property
    def dot_env(self) -> dict[str, str]:
        """As an operator would write it for these engines, and with a dispatcher that is in a hurry."""
        names = ("S3_ENDPOINT_URL", "S3_PUBLIC_ENDPOINT_URL", "S3_BUCKET", "S3_REGION")
        ours = {"SITE_URL": self.site, "ALLOWED_HOSTS": HOST, "METRICS_PORT": "0", "DISPATCH_SECONDS": "1"}
        return {name: self.engines.env[name] for name in names} | ours | {"UPLOAD_PART_BYTES": str(5 * 1024**2)}

    def service(self, name: str) -> Service:
        return _compose.service(name, self.dot_env)

    def start(self) -> None:
        for name in SERVICES:
            self.processes[name] = self.container.start(self.service(name), self.ports)
        assert self.nginx is not None
        self.nginx.start()
        for url in ("/livez", "/healthz", "/accounts/login/"):
            self.wait(lambda url=url: self.get(url)[0] == 200, f"{url} answers")  # type: ignore[misc]
        for name in ("worker", "deleter"):
            log = self.processes[name].log
            self.wait(lambda log=log: " ready." in log.read_text(), f"{name} is ready")  # type: ignore[misc]

    def wait(self, true: Callable[[], bool], what: str) -> None:
        ends_at = time.monotonic() + PATIENCE
        while not true():
            for process in self.processes.values():
                assert process.running, f"{process.name} ended:{last_lines(process.log)}"
            assert time.monotonic() < ends_at, f"waited {PATIENCE:.0f} s in vain: {what}"
            time.sleep(0.1)

    def stop(self) -> dict[str, int | None]:
        """Ask each to stop, as Docker does; the exit status of each."""
        services = {name: self.service(name) for name in self.processes}
        for process in self.processes.values():
            process.ask_to_stop(signal.SIGTERM)
        for name, process in self.processes.items():
            process.stop(signal.SIGTERM, services[name].grace_seconds)
        stopped = {name: process.exit_status for name, process in self.processes.items()}
        self.processes = {}
        return stopped

    def end(self) -> None:
        for process in self.processes.values():
            process.kill()
        if self.nginx is not None:
            self.nginx.stop(lambda: True)
        self.engines.destroy()

    def manage(self, service: str, *arguments: str, **changes: str) -> str:
        """What the command printed, run in the service's container."""
        done = self.container.run(self.service(service), ["python", "manage.py", *arguments], **changes)
        assert done.returncode == 0, f"manage.py {arguments[0]}: {done.stderr}"
        return done.stdout

    def manage_json(self, service: str, *arguments: str, **changes: str) -> Any:
        return json.loads(self.manage(service, *arguments, "--json", **changes).splitlines()[-1])

    def get(self, url: str, form: Mapping[str, str] | None = None, **headers: str) -> tuple[int, Message, bytes]:
        """GET, or POST a form, as the one browser that looks at it. A redirect is not followed."""
        address = url if url.startswith("http") else f"{self.site}{url}"
        body = None if form is None else urlencode(form).encode()
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        try:
            with self.opener.open(urllib.request.Request(address, body, sent), timeout=120) as answer:
                return answer.status, answer.headers, answer.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.headers, error.read()
        except OSError:
            return 0, Message(), b""

    def api(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.site}/api/v1{path}", data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=120) as answer:
                return answer.status, json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.loads(error.read() or b"null")

    def sign_in(self, name: str, password: str) -> None:
        page = self.get("/accounts/login/")[2].decode()
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
        assert token, page[:500]
        form = {"login": name, "password": password, "csrfmiddlewaretoken": token[1]}
        status, headers, _ = self.get("/accounts/login/", form, Referer=self.site)
        assert (status, "login" in headers["Location"]) == (302, False), (status, headers["Location"])

    def stored(self, prefix: str) -> list[str]:
        """Keys and unfinished uploads in the bucket."""
        env = self.engines.env
        client = boto3.client(
            "s3",
            endpoint_url=env["S3_ENDPOINT_URL"],
            region_name=env["S3_REGION"],
            aws_access_key_id=env["S3_ACCESS_KEY_ID"],
            aws_secret_access_key=env["S3_SECRET_ACCESS_KEY"],
        )
        objects = client.list_object_versions(Bucket=env["S3_BUCKET"], Prefix=prefix).get("Versions", [])
        uploads = client.list_multipart_uploads(Bucket=env["S3_BUCKET"], Prefix=prefix).get("Uploads", [])
        return [one["Key"] for one in objects] + [one["Key"] for one in uploads]

    def take_over_clock(self, setup: str) -> None:
        """PostgreSQL's clock, which deadlines are compared with (tests/stores/_clock.py)."""
        with self._superuser() as superuser:
            (name,) = superuser.execute("SELECT current_database()").fetchone() or ("",)
            superuser.execute(setup.encode())
            superuser.execute("GRANT USAGE ON SCHEMA moved TO PUBLIC")
            superuser.execute("GRANT SELECT ON moved.ahead TO PUBLIC")
            superuser.execute(f'ALTER DATABASE "{name}" SET search_path = moved, pg_catalog, public'.encode())

    def move_clock(self, days: int) -> None:
        with self._superuser() as superuser:
            superuser.execute("UPDATE moved.ahead SET by = by + make_interval(days => %s)", [days])

    def _superuser(self) -> "psycopg.Connection[tuple[Any, ...]]":
        return psycopg.connect(self.engines.postgres.superuser_url("spacekeep"))

    def lines(self) -> list[tuple[str, str]]:
        """(service, line) of all logs."""
        names = [name for name in SERVICES if (self.logs / f"{name}.log").exists()]
        return [(name, line) for name in names for line in (self.logs / f"{name}.log").read_text().splitlines()]


def _nothing() -> None:
    pass


def run(command: list[str], **env: str) -> str:
    """Run a program of this side, and return what it printed."""
    done = subprocess.run(command, env=env or None, text=True, capture_output=True, timeout=600, check=False)
    assert done.returncode == 0, f"{' '.join(command[:3])}: {done.stderr}"
    return done.stdout


def level(line: str) -> str:
    with contextlib.suppress(ValueError):
        return str(json.loads(line).get("level", ""))
    return "no JSON"
