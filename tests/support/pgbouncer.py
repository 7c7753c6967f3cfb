"""Run pgbouncer in transaction mode between the tests and PostgreSQL: `make pgbouncer`.

It is installed from Debian's packages, in a folder of ours, so it needs root. Each transaction uses the next connection
of the pool: what a session leaves behind (a cursor, SET, an advisory lock, a prepared statement) is missing for the
next statement, or found by another client's.
"""

import os
import random
import signal
import time
from pathlib import Path
from urllib.parse import urlsplit

import psycopg

from embedded.postgres import Postgres
from embedded.process import Process
from embedded.state import PORTS, is_free
from tests.stores._software import debian_packages

PATIENCE = 60.0
CONFIGURATION = """
[databases]
* = host={upstream.hostname} port={upstream.port} user={upstream.username} password={upstream.password}

[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
user = {user}
auth_type = any
pool_mode = transaction
server_round_robin = 1
min_pool_size = 4
default_pool_size = 40
max_client_conn = 500
query_wait_timeout = 5
server_login_retry = 1
ignore_startup_parameters = options
"""


def start(folder: Path, postgres: Postgres) -> str:
    """Start pgbouncer, and set its ignored parameters for the role (docs/operations.md). Return the portal's URL."""
    with psycopg.connect(postgres.superuser_url("postgres")) as superuser:
        superuser.execute("ALTER ROLE spacekeep SET idle_in_transaction_session_timeout = '60s'")
    unpacked = debian_packages("pgbouncer", ["pgbouncer"])
    upstream = urlsplit(postgres.url)
    port = next(port for port in random.SystemRandom().sample(PORTS, 200) if is_free(port))
    user = "nobody" if os.geteuid() == 0 else ""  # pgbouncer refuses to run as root
    configuration = folder / "pgbouncer.ini"
    configuration.write_text(CONFIGURATION.format(upstream=upstream, port=port, user=user))
    process = Process("pgbouncer", folder / "pgbouncer.log")
    libraries = ":".join(str(path) for path in (unpacked / "usr" / "lib").glob("*-linux-gnu*"))
    process.spawn(
        [str(unpacked / "usr" / "sbin" / "pgbouncer"), str(configuration)],
        cwd=folder,
        env={**os.environ, "LD_LIBRARY_PATH": libraries},
        death_signal=signal.SIGKILL,
    )
    url = upstream._replace(netloc=upstream.netloc.replace(f":{upstream.port}", f":{port}")).geturl()
    deadline = time.monotonic() + PATIENCE
    while not _answers(url):
        if time.monotonic() > deadline or not process.running:
            raise AssertionError(f"pgbouncer does not answer:\n{process.log.read_text()}")
        time.sleep(0.1)
    return url


def _answers(url: str) -> bool:
    try:
        with psycopg.connect(url, connect_timeout=2) as connection:
            connection.execute("SELECT 1")
    except psycopg.OperationalError:
        return False
    return True
