"""The embedded engines: closed to other users, ended on stop, and with the same data after a restart."""

import json
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import boto3
import psycopg
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from mypy_boto3_s3 import S3Client

from embedded.engine import Engine
from embedded.engines import EngineError, Engines
from embedded.process import Facts, facts, family
from embedded.state import is_free
from tests.support.processes import ROOT
from tests.support.procfs import listening_sockets
from tests.support.waiting import wait_until

# Start engines and wait, so that the process can be killed before it stops any of them.
START = """
import sys, time
from pathlib import Path
from embedded.engines import Engines
Engines(Path(sys.argv[1]), fast=True).start()
print("up", flush=True)
time.sleep(60)
"""
IMPORTED_AT = time.time()


@pytest.fixture(scope="module")
def engines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engines]:
    """Engines of this module's own, in a path with a space; each test leaves them running."""
    engines = Engines(tmp_path_factory.mktemp("own engines") / "data", fast=True)
    engines.start()
    yield engines
    engines.destroy()


def test_only_their_owner_can_read_the_secrets(engines: Engines) -> None:
    values = json.loads((engines.data_dir / "engines.json").read_text())
    secrets = [value for value in values.values() if isinstance(value, str) and len(value) == 64]
    assert len(secrets) == 10
    readable = [
        path
        for path in engines.data_dir.rglob("*")
        if path.is_file()
        and path.stat().st_size < 100_000
        and any(s[:20] in path.read_text(errors="replace") for s in secrets)
    ]

    assert stat.S_IMODE(engines.data_dir.stat().st_mode) == 0o700
    assert {"engines.json", "s3.json", "security.toml", "valkey.conf"} <= {path.name for path in readable}
    assert {stat.S_IMODE(path.stat().st_mode) for path in readable} == {0o600}
    for pid in processes(engines):
        command = Path(f"/proc/{pid}/cmdline").read_text()
        assert not [secret for secret in secrets if secret[:20] in command]


def test_nothing_listens_to_other_machines(engines: Engines) -> None:
    for engine in engines.all:
        addresses = listening_sockets(members(engine))

        assert {host for host, _ in addresses} == {"127.0.0.1"}, engine.name
        # A part of the store that no client needs may start to listen a moment after the store answers.
        ours = {engine.port(name) for name in engine.ports}
        wait_until(lambda: ours <= {port for _, port in listening_sockets(members(engine))}, engine.name)  # noqa: B023


@pytest.mark.parametrize("user", ["spacekeep", "postgres"])
@pytest.mark.parametrize("password", ["not-the-password", None])
def test_postgresql_refuses_a_wrong_password(engines: Engines, user: str, password: str | None) -> None:
    port = engines.postgres.port("postgres")

    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(host="127.0.0.1", port=port, user=user, password=password, dbname="postgres")


def test_valkey_refuses_a_wrong_password(engines: Engines) -> None:
    assert ask_valkey(engines, "AUTH not-the-password").startswith("-WRONGPASS")
    assert ask_valkey(engines, "PING").startswith("-NOAUTH")


def test_the_store_refuses_a_wrong_key(engines: Engines) -> None:
    right = engines.seaweedfs
    own_client(engines).list_buckets()

    for access_key, secret_key in ((right.access_key, "not-the-secret"), ("not-the-key", right.secret_key)):
        with pytest.raises(ClientError) as refused:
            client(engines, access_key, secret_key).list_buckets()
        assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403


def test_data_outlives_a_stop_and_a_crash(engines: Engines) -> None:
    before = ports(engines)
    with psycopg.connect(engines.postgres.owner_url) as connection:
        connection.execute("CREATE TABLE kept (word text)")
        connection.execute("INSERT INTO kept VALUES ('before')")

    stop(engines)
    engines.start()
    assert ports(engines) == before
    engines.postgres.kill()
    assert engines.postgres.process.exit_status == -9
    engines.postgres.start()

    assert engines.running
    assert ports(engines) == before
    with psycopg.connect(engines.postgres.owner_url) as connection:
        assert connection.execute("DELETE FROM kept RETURNING word").fetchall() == [("before",)]
        connection.execute("DROP TABLE kept")


@pytest.mark.long
def test_data_survives_a_change_of_ports(tmp_path: Path) -> None:
    engines = Engines(tmp_path / "data", fast=True)
    engines.start()
    own_client(engines).create_bucket(Bucket="kept")
    own_client(engines).put_object(Bucket="kept", Key="first", Body=b"first")
    stop(engines)
    before = ports(engines)

    with ExitStack() as stack:
        for port in before:
            stack.enter_context(socket.create_server(("127.0.0.1", port)))
        later = Engines(tmp_path / "data", fast=True)
        later.start()
        own_client(later).put_object(Bucket="kept", Key="second", Body=b"second")
        stored = [own_client(later).get_object(Bucket="kept", Key=key)["Body"].read() for key in ("first", "second")]
        after = ports(later)
        later.destroy()

    assert len(after) == 7
    assert not set(after) & set(before)
    assert stored == [b"first", b"second"]


def test_a_second_start_of_the_same_folder_is_refused(engines: Engines) -> None:
    with pytest.raises(EngineError, match="already running"):
        Engines(engines.data_dir, fast=True).start()

    assert engines.running


def test_engines_end_with_the_process_that_started_them(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    starter = subprocess.Popen([sys.executable, "-c", START, str(folder)], cwd=ROOT, stdout=subprocess.PIPE)
    assert starter.stdout is not None
    with starter.stdout as output:
        assert output.readline() == b"up\n"
    below = family(starter.pid)
    assert len(below) >= 3

    starter.kill()
    starter.wait()

    wait_until(lambda: not alive(below), "no process is left")
    again = Engines(folder, fast=True)
    again.start()
    assert again.running
    again.destroy()


def test_a_file_where_a_folder_must_be(tmp_path: Path) -> None:
    (tmp_path / "postgres").write_text("not a folder")
    engines = Engines(tmp_path, fast=True)

    with pytest.raises(EngineError, match=r"postgres cannot have its folder.*File exists"):
        engines.start()

    nothing_is_left(engines)
    assert (tmp_path / "postgres").read_text() == "not a folder"


def test_an_engine_that_ends_while_it_starts(tmp_path: Path) -> None:
    (tmp_path / "valkey").mkdir()
    (tmp_path / "valkey" / "dump.rdb").write_text("not a dump, whatever its name says")
    engines = Engines(tmp_path, fast=True)

    with pytest.raises(EngineError, match=r"valkey ended while it started:\n(.*\n)*.*[Ww]rong signature"):
        engines.start()

    nothing_is_left(engines)
    engines.destroy()


def stop(engines: Engines) -> None:
    """Stop the engines, and assert that no process is left."""
    before = {pid: seen for pid in processes(engines) if (seen := facts(pid))}
    assert len(before) > 3
    engines.stop()
    assert not alive(before)
    nothing_is_left(engines)


def nothing_is_left(engines: Engines) -> None:
    assert [engine.name for engine in engines.all if engine.running] == []
    for port in ports(engines):
        assert is_free(port)
        sockets = Path("/tmp").glob(f"seaweedfs-*-{port}.sock")  # noqa: S108
        # Older files belong to a killed run that by chance used a port of this one.
        assert [path for path in sockets if path.stat().st_mtime > IMPORTED_AT] == []


def ports(engines: Engines) -> list[int]:
    """Return all ports that were chosen; a start may have failed before the last one."""
    values: dict[str, str | int] = json.loads((engines.data_dir / "engines.json").read_text())
    return sorted(int(value) for name, value in values.items() if name.startswith("port:"))


def alive(processes: dict[int, Facts]) -> list[int]:
    """Return the pids that still run our programs; another program may have got a pid in the meantime."""
    return [pid for pid, seen in processes.items() if (now := facts(pid)) and now.started == seen.started]


def members(engine: Engine) -> set[int]:
    assert engine.process.pid is not None
    return {engine.process.pid, *family(engine.process.pid)}


def processes(engines: Engines) -> set[int]:
    return {pid for engine in engines.all for pid in members(engine)}


def ask_valkey(engines: Engines, command: str) -> str:
    with socket.create_connection(("127.0.0.1", engines.valkey.port("valkey")), timeout=5) as connection:
        connection.sendall(f"{command}\r\n".encode())
        return connection.recv(256).decode()


def own_client(engines: Engines) -> S3Client:
    return client(engines, engines.seaweedfs.access_key, engines.seaweedfs.secret_key)


def client(engines: Engines, access_key: str, secret_key: str) -> S3Client:
    config = Config(signature_version="s3v4", s3={"addressing_style": "path"}, retries={"total_max_attempts": 1})
    return boto3.client(
        "s3",
        endpoint_url=engines.seaweedfs.url,
        region_name="us-east-1",
        aws_access_key_id=access_key,
        aws_secret_access_key=secret_key,
        config=config,
    )
