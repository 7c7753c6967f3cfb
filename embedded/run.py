"""`make run`: start engines, prepare database, bucket, static files and demo, run the portal until interrupted."""

import base64
import contextlib
import fcntl
import http.client
import json
import os
import socket
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Any
from urllib.parse import quote

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from embedded import envfile
from embedded.engines import Engines
from embedded.interrupts import Interrupted, Interrupts
from embedded.nginx import Addresses, Nginx
from embedded.place import DATA, ENV_FILE, LOGS, MAIL, RUN_LOCK
from embedded.preparation import Preparation
from embedded.process import ProcessError, last_lines
from embedded.reaper import adopt_orphans, end_orphans
from embedded.services import HEALTH_SOCKET, WEB_SOCKET, environment, services, speech_model
from embedded.state import HOST, HOST_NAME, State, claim, is_free, occupy_ipv6
from embedded.supervisor import Supervisor
from embedded.terminal import complain, say, step, table

PREFERRED_PORT = 8000
WEB_SECONDS = 180.0


class Run:
    """One `make run`, from its start until all its processes have ended."""

    def __init__(self, interrupts: Interrupts) -> None:
        self._interrupts = interrupts
        self._engines = Engines(DATA, logs=LOGS, check=interrupts.check)
        self._port, self._claim = choose_port()
        self._services = services()
        web, health = (f"unix:../{Path(name).name}" for name in (WEB_SOCKET, HEALTH_SOCKET))
        addresses = Addresses(self._port, web, health, site=self.url)
        self._nginx = Nginx(DATA, State(DATA / "run.json"), LOGS, interrupts.check, addresses)
        self._preparation: Preparation | None = None
        self._supervisor = Supervisor(interrupts.check)
        self._occupied: socket.socket | None = None

    @property
    def url(self) -> str:
        return f"http://{HOST_NAME}:{self._port}"

    def up(self) -> None:
        """Start everything and print how to sign in. Raises ProcessError or Interrupted."""
        with step("PostgreSQL, Valkey, SeaweedFS"):
            self._engines.start()
            self._occupied = occupy_ipv6(self._engines.seaweedfs.port("s3"))
        env = self._write_env()
        self._preparation = Preparation(self._engines, env, self._interrupts.check)
        with step("database, bucket, static files"):
            self._preparation.prepare()
        web, health, *others = self._services
        self._preparation.begin(("demo", "--json"))
        with step("portal"):
            for service in (web, health):
                service.spawn(env)
            self._nginx.start()
            self._wait_for_web()
        self._release_port()
        with step("demo accounts and Space"):
            for service in others:
                service.spawn(env)
            self._preparation.finish()
        for service in self._services:
            self._supervisor.watch_service(service, env)
        for engine in (*self._engines.all, self._nginx):
            self._supervisor.watch_engine(engine)
        welcome(self.url)

    def watch(self) -> None:
        """Restart processes that end, until interrupted."""
        self._supervisor.run()

    def down(self) -> None:
        """Stop what is running: clients before the servers that they use."""
        hurry = self._interrupts.hurry
        self._release_port()
        if self._preparation:
            self._preparation.abandon()
        self._nginx.stop(hurry)
        for service in self._services:
            service.process.ask_to_stop(service.stop)
        for service in self._services:
            service.process.stop(service.stop, service.stop_seconds, hurry)
        self._engines.stop(hurry)
        if self._occupied:
            self._occupied.close()
        end_orphans()

    def _release_port(self) -> None:
        if self._claim:
            self._claim.close()

    def _write_env(self) -> dict[str, str]:
        values = {
            "SECRET_KEY": State(DATA / "run.json").secret("secret_key"),
            **key_pair("CERTIFICATE"),
            **key_pair("LOG"),
            "LOG_ORIGIN": "localhost/log",  # without the port, which the next start may change
            "DEMO_PASSWORD": State(DATA / "run.json").secret("demo_password")[:12],
            "DEBUG": "0",
            "REQUIRE_SECOND_FACTOR": "0",  # the demo accounts have only a password
            "ALLOWED_HOSTS": f"{HOST_NAME},{HOST}",
            "SITE_URL": self.url,
            "BEHIND_PROXY": "1",
            "STATIC_ROOT": str(DATA / "static"),
            "TRANSCRIPTION_MODEL": os.environ.get("TRANSCRIPTION_MODEL") or speech_model(),
            "EMAIL_URL": os.environ.get("EMAIL_URL") or f"file://{quote(str(MAIL))}",
            "MAIL_FROM": os.environ.get("MAIL_FROM") or "Spacekeep <spacekeep@localhost>",
            **self._engines.env,
            "S3_PUBLIC_ENDPOINT_URL": self._engines.seaweedfs.url.replace(HOST, HOST_NAME, 1),
        }
        envfile.write(ENV_FILE, values)
        return environment(values)

    def _wait_for_web(self) -> None:
        web = self._services[0].process
        deadline = time.monotonic() + WEB_SECONDS
        while (status := first_page(self._port)) is None or status >= 500:
            self._interrupts.check()
            is_starting = status in (None, 502, 504)  # nginx answers 502 and 504 itself
            if not web.running or time.monotonic() > deadline or not is_starting:
                said = f"answers with an error ({status})" if status else "does not answer"
                raise ProcessError(f"the portal {said} at {self.url}:{last_lines(web.log)}\n  All of it: {web.log}")
            time.sleep(0.05)


def key_pair(name: str) -> dict[str, str]:
    """Return NAME_KEY, the signing key, and NAME_PUBLIC_KEYS, for the services that only verify."""
    seed = bytes.fromhex(State(DATA / "run.json").secret(f"{name.lower()}_key"))
    public = Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()
    encoded = {f"{name}_KEY": seed, f"{name}_PUBLIC_KEYS": public}
    return {variable: base64.b64encode(value).decode() for variable, value in encoded.items()}


def welcome(url: str) -> None:
    """Print the address, and how to sign in."""
    say(f"\n  Spacekeep is at {url}\n")
    rows = [(account["role"], account["name"], account["password"]) for account in demo_facts().get("accounts", [])]
    for line in table([("sign in as", "name", "password"), *rows]) if rows else ():
        say(f"    {line}")
    say(f"\n  Logs are in {os.path.relpath(LOGS)}/.{describe_mail(os.environ)} Ctrl-C stops it.\n")


def describe_mail(env: Mapping[str, str]) -> str:
    """Describe where to find the mails of invitations and password resets, without a mail server."""
    if env.get("EMAIL_URL"):
        return ""
    where = f"{os.path.relpath(MAIL)}/"
    return f" Mail goes nowhere: links of invitations and new passwords are in the files in {where}."


def demo_facts() -> dict[str, Any]:
    """Return what `manage.py demo --json` printed: the last line that is an object."""
    for line in reversed((LOGS / "demo.log").read_text().splitlines()):
        with contextlib.suppress(ValueError):
            facts = json.loads(line)
            if isinstance(facts, dict):
                return facts
    return {}


def first_page(port: int) -> int | None:
    """Return the status of the portal's first page (a redirect to sign-in is fine), or None if there is no answer."""
    connection = http.client.HTTPConnection(HOST, port, timeout=10)
    try:
        connection.request("GET", "/", headers={"Host": HOST_NAME})
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


def choose_port() -> tuple[int, socket.socket | None]:
    """Return PORT from the environment if it is set, else 8000, else the last one, else any free port.

    Also return a claim on it: it takes a while until web listens there, and another clone may start at the same time.
    """
    wanted = os.environ.get("PORT", "")
    if wanted:
        if not (wanted.isdecimal() and 0 < int(wanted) < 65536):
            raise ProcessError(f"PORT={wanted} cannot be used: write a number from 1 to 65535")
        if not is_free(int(wanted)):
            raise ProcessError(f"PORT={wanted} cannot be used: another program uses it, or only root may")
        return int(wanted), None
    if held := claim(PREFERRED_PORT):
        return PREFERRED_PORT, held
    port = State(DATA / "run.json").settle_port("web")
    return port, claim(port)


def run() -> int:
    """Run the command, and return its exit status."""
    interrupts = Interrupts()
    adopt_orphans()
    DATA.mkdir(mode=0o700, exist_ok=True)
    with RUN_LOCK.open("w") as lock:
        if not take(lock):
            where = envfile.read(ENV_FILE).get("SITE_URL", "its address")
            complain(f"  this clone is running already, at {where}: stop that one first (Ctrl-C in its terminal)")
            return 1
        return guarded(interrupts, lambda: Run(interrupts))


def take(lock: IO[str]) -> bool:
    """Lock this clone, and return whether that worked. Tries several times: manage.py holds the lock for instants."""
    for _ in range(5):
        with contextlib.suppress(OSError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        time.sleep(0.1)
    return False


def guarded(interrupts: Interrupts, make: Callable[[], Run]) -> int:
    """Start, watch, and always stop everything. Return the exit status."""
    current: Run | None = None
    try:
        current = make()
        current.up()
        current.watch()
    except Interrupted:
        say("\n  stopping (your data is kept in .data)")
        return 0
    except (ProcessError, OSError) as error:
        complain(f"\n  {error}")
        complain("  Nothing is lost: put this right and run it again. `make clean` begins anew, without the data.")
        return 1
    finally:
        if current is not None:
            current.down()
    return 0
