"""What the steps share: engines, the image's processes, nginx in front of them, and clients outside."""

import contextlib
import json
import re
import signal
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import timedelta
from email.message import Message
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import boto3
import psycopg

from embedded.engines import Engines
from embedded.nginx import Addresses, Nginx
from embedded.postgres import DATABASE, OWNER, find_programs
from embedded.process import Process, last_lines
from embedded.state import HOST, State
from tests.image import _compose
from tests.image._compose import Service
from tests.image._container import Container, Folder, RootFolder
from tests.stores._server import free_ports
from tests.support.authorities import Authority
from tests.support.main_job import run
from tests.support.smtp_server import Inbox, run_server, with_sign_in

Superuser = psycopg.Connection[tuple[Any, ...]]
SERVICES = ("web", "health", "worker", "deleter", "beat")
FROM = "Spacekeep <no-reply@spaces.example.org>"
PATIENCE = 300.0  # seconds for any step, on a machine with other load


class Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *args: Any) -> None:
        return None


class World:
    """`folder` contains everything. `space` and the other fields are results of steps for later steps."""

    demo: str
    space: str
    ended_at: str
    recording: bytes
    signed_url: str
    token: str
    app: str  # the secret of nora's authenticator app
    certificates: dict[str, bytes]  # by Space

    def __init__(self, folder: Path, root: Path | None) -> None:
        self.folder = folder
        self.engines = Engines(folder / "engines", fast=True)
        self.root = root
        self.processes: dict[str, Process] = {}  # processes that run
        self.started: dict[str, Process] = {}  # all processes, with their logs
        self.starts: Counter[str] = Counter()
        self.nginx: Nginx | None = None
        self.database = DATABASE
        self.inbox = Inbox(free_ports(1)[0])
        self.authority = Authority(folder)
        self.exit = contextlib.ExitStack()
        self.forget_cookies()

    def forget_cookies(self) -> None:
        """Drop the cookies, as if another browser came."""
        self.opener = urllib.request.build_opener(Stay, urllib.request.HTTPCookieProcessor(CookieJar()))

    def begin(self) -> str:
        """Start the engines and a mail server, and prepare the image. Returns the version of its Python."""
        self.engines.start()
        self.exit.enter_context(run_server(self.inbox, **with_sign_in(self.authority.context(HOST))))
        port, web, health = free_ports(3)
        self.site = f"http://{HOST}:{port}"
        self.ports = {"web": web, "health": health}
        listening = Addresses(port, f"{HOST}:{web}", f"{HOST}:{health}")
        self.nginx = Nginx(self.folder / "proxy", State(self.folder / "proxy.json"), self.logs, _nothing, listening)
        env = self.engines.env
        engines = ("DATABASE_URL", "DATABASE_OWNER_URL", "BROKER_URL", "S3_ACCESS_KEY_ID", "S3_SECRET_ACCESS_KEY")
        addresses = {name.lower(): env[name] for name in engines}
        secrets = _compose.make_secrets({**addresses, "email_url": self.inbox.url_with_sign_in})
        self.container: Container = (
            RootFolder(self.folder, secrets, self.root) if self.root else Folder(self.folder, secrets)
        )
        return self.container.prepare()

    @property
    def logs(self) -> Path:
        return self.folder / "logs"

    @property
    def dot_env(self) -> dict[str, str]:
        """Write .env as an operator would for these engines, with a frequent dispatcher and signer."""
        names = ("S3_ENDPOINT_URL", "S3_PUBLIC_ENDPOINT_URL", "S3_BUCKET", "S3_REGION")
        ours = {"SITE_URL": self.site, "ALLOWED_HOSTS": HOST, "METRICS_PORT": "0", "DISPATCH_SECONDS": "1"}
        mail = {"MAIL_FROM": FROM, "MAIL_CA_BUNDLE_ON_HOST": self.authority.ca_file}
        hurry = {"UPLOAD_PART_BYTES": str(5 * 1024**2), "LOG_CHECKPOINT_SECONDS": "1"}
        return {name: self.engines.env[name] for name in names} | ours | mail | hurry

    def service(self, name: str) -> Service:
        return _compose.service(name, self.dot_env)

    def start(self, *names: str) -> None:
        """Start these services (default: all), and wait until they respond."""
        for name in names or SERVICES:
            process = self.started.setdefault(name, Process(name, self.logs / f"{name}.log"))
            self.container.start(process, self.service(name), self.ports)
            self.processes[name] = process
            self.starts[name] += 1
        assert self.nginx is not None
        if not self.nginx.process.running:
            self.nginx.start()
        for url in ("/livez", "/healthz", "/accounts/login/"):
            self.wait(lambda url=url: self.get(url)[0] in (200, 302), f"{url} answers")  # type: ignore[misc]
        for name in ("worker", "deleter"):
            self.wait(lambda name=name: self._is_ready(name), f"{name} is ready")  # type: ignore[misc]

    def _is_ready(self, name: str) -> bool:
        return self.started[name].log.read_text().count(" ready.") == self.starts[name]

    def wait(self, true: Callable[[], bool], what: str) -> None:
        ends_at = time.monotonic() + PATIENCE
        while not true():
            for process in self.processes.values():
                assert process.running, f"{process.name} ended:{last_lines(process.log)}"
            assert time.monotonic() < ends_at, f"waited {PATIENCE:.0f} s in vain: {what}"
            time.sleep(0.1)

    def stop(self, *names: str) -> None:
        """Stop these services (default: all) as Docker does. Each must end in time with exit status 0."""
        stopping = {name: self.processes.pop(name) for name in names or list(self.processes)}
        for process in stopping.values():
            process.ask_to_stop(signal.SIGTERM)
        for name, process in stopping.items():
            process.stop(signal.SIGTERM, self.service(name).grace_seconds)
        stopped = {name: process.exit_status for name, process in stopping.items()}
        assert set(stopped.values()) == {0}, stopped

    def restart(self, *names: str) -> None:
        """Restart after a change of .env or of a secret."""
        self.stop(*names)
        self.start(*names)

    def end(self) -> None:
        for process in self.processes.values():
            process.kill()
        if self.nginx is not None:
            self.nginx.stop(lambda: True)
        self.exit.close()
        self.engines.destroy()

    def manage(self, service: str, *arguments: str, given: str = "", fails: bool = False, **changes: str) -> str:
        """Run the command in the service's container, and return its output; if it `fails`, with its standard error."""
        done = self.container.run(self.service(service), ["python", "manage.py", *arguments], given, **changes)
        assert bool(done.returncode) == fails, f"manage.py {arguments[0]}: {done.stdout}{done.stderr}"
        return done.stdout + (done.stderr if fails else "")

    def manage_json(self, service: str, *arguments: str, given: str = "", **changes: str) -> Any:
        return json.loads(
            self.manage(service, *arguments, "--json", given=given, fails=False, **changes).splitlines()[-1]
        )

    def get(self, url: str, form: Mapping[str, str] | None = None, **headers: str) -> tuple[int, Message, bytes]:
        """GET, or POST a form, as the only browser. Redirects are not followed."""
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

    def post(self, path: str, form: Mapping[str, str], page: str = "") -> str:
        """Send a page's form, and return the target of the redirect. `page`: the loaded page, if its form differs each
        time."""
        page = page or self.get(path)[2].decode()
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
        assert token, page[:500]
        status, headers, body = self.get(path, {**form, "csrfmiddlewaretoken": token[1]}, Referer=self.site)
        assert status == 302, (path, status, body[:2000])
        return str(headers["Location"])

    def sign_in(self, name: str, password: str) -> None:
        location = self.post("/accounts/login/", {"login": name, "password": password})
        assert "login" not in location, location

    def stored(self, prefix: str) -> list[str]:
        """Return keys and unfinished uploads in the bucket."""
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
        """Take over PostgreSQL's clock, with which deadlines are compared (tests/stores/_clock.py)."""
        with self.superuser() as superuser:
            superuser.execute(setup.encode())
            superuser.execute("GRANT USAGE ON SCHEMA moved TO PUBLIC")
            superuser.execute("GRANT SELECT ON moved.ahead TO PUBLIC")
            self._use_moved_clock(superuser)

    def _use_moved_clock(self, superuser: Superuser) -> None:
        superuser.execute(f'ALTER DATABASE "{self.database}" SET search_path = moved, pg_catalog, public'.encode())

    def move_clock(self, days: int) -> None:
        with self.superuser() as superuser:
            superuser.execute("UPDATE moved.ahead SET by = by + make_interval(days => %s)", [days])

    def superuser(self) -> Superuser:
        return psycopg.connect(self.engines.postgres.superuser_url(self.database), autocommit=False)

    def pg(self, program: str, *arguments: str) -> str:
        """Run a PostgreSQL program of this machine, as an operator does."""
        return run([str(find_programs() / "bin" / program), *arguments])

    def back_up(self) -> None:
        """Back up as in docs/operations.md, "Back up"."""
        url = self.engines.postgres.superuser_url(self.database)
        self.pg("pg_dump", "--format=custom", f"--file={self.folder / 'spacekeep.dump'}", f"--dbname={url}")

    def restore(self) -> None:
        """Restore the dump into another database as docs/operations.md says, and point the settings to it."""
        with self.superuser() as superuser:
            (ahead,) = superuser.execute("SELECT by FROM moved.ahead").fetchone() or (timedelta(),)
        postgres, restored = self.engines.postgres, f"{DATABASE}_restored"
        self.pg("createdb", f"--maintenance-db={postgres.superuser_url('postgres')}", f"--owner={OWNER}", restored)
        options = ("--no-owner", f"--role={OWNER}", "--exit-on-error")
        target = f"--dbname={postgres.superuser_url(restored)}"
        self.pg("pg_restore", *options, target, str(self.folder / "spacekeep.dump"))
        for name in ("database_url", "database_owner_url"):
            self.container.values[name] = urlsplit(self.container.values[name])._replace(path=f"/{restored}").geturl()
        self.database = restored
        with self.superuser() as superuser:  # time has passed
            superuser.execute("UPDATE moved.ahead SET by = %s", [ahead])
            self._use_moved_clock(superuser)

    def lines(self) -> list[tuple[str, str]]:
        """Yield (service, line) of all logs."""
        names = [name for name in SERVICES if (self.logs / f"{name}.log").exists()]
        return [(name, line) for name in names for line in (self.logs / f"{name}.log").read_text().splitlines()]


def _nothing() -> None:
    pass


def level(line: str) -> str:
    with contextlib.suppress(ValueError):
        return str(json.loads(line).get("level", ""))
    return "no JSON"
