"""Third-party verifiers and a witness, in Go, accept what our log publishes. Only in `make third-party`.

Our verifier tests/third_party/check.go uses the library with which Go verifies its modules. The witness is litewitness
of github.com/FiloSottile/torchwood: SOURCES is a folder with checkouts of `torchwood`, of golang.org/x's `crypto`,
`net`, `text`, `sys` and `sync`, and of crawshaw.io/`sqlite`; it also needs a C compiler and OpenSSH.
"""

import base64
import os
import shutil
import socket
import sqlite3
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from django.db import transaction
from pytest_django import Settings

from archive import log
from archive.log import SYSTEM, events
from archive.models import LogCosignature, LogEntry
from archive.storage import keys, store
from archive.storage.purge_prefix import purge_listing
from archive.transparency.keys import public_keys
from archive.transparency.receipts import make_receipt
from archive.transparency.tile_store import stored_tree
from archive.transparency.verify_log import EMPTY_ROOT, Checkpoint, Key
from tests.support import go_programs
from tests.support.database import as_superuser
from tests.support.log_rounds import run_round
from tests.support.waiting import wait_until

SOURCES = Path(os.environ.get("SOURCES", ""))
OTHERS = {
    "golang.org/x/crypto": "crypto", "golang.org/x/net": "net", "golang.org/x/text": "text", "golang.org/x/sys": "sys",
    "golang.org/x/sync": "sync", "crawshaw.io/sqlite": "sqlite",
}  # fmt: skip
UNUSED = ["golang.org/x/term", "golang.org/x/tools", "crawshaw.io/iox"]

pytestmark = [
    pytest.mark.usefixtures("committed"),
    pytest.mark.skipif(not go_programs.GO, reason="`make third-party` has it: it installs Go"),
]


@pytest.fixture(autouse=True)
def no_log_objects(committed: None, bucket: None, settings: Settings) -> None:
    purge_listing(store(), store().listing(keys.LOG))
    settings.LOG_CHECKPOINT_SECONDS = 0


def write(count: int) -> None:
    with transaction.atomic():
        log.record_all(events.DIGEST_EMPTY, [(None, {"number": i}) for i in range(count)], actor=SYSTEM)
    run_round()


@pytest.fixture
def published(tmp_path: Path) -> Path:
    """A log that grew from 200 to 70,000 entries, as anybody can download it, with receipts."""
    folder = tmp_path / "published"
    folder.mkdir()
    write(200)
    (folder / "old").write_bytes(store().get(keys.log_object("checkpoint")))
    write(69_800)
    for key in {version.key for version in store().versions(keys.LOG)}:
        path = folder / key.removeprefix(keys.LOG)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(store().get(key))
    (folder / "vkey").write_text(str(public_keys()[0]))
    write_proof(folder / "consistency", stored_tree(70_000).consistency_path(200))
    for entry in LogEntry.objects.order_by("id")[::7001]:
        (folder / f"{entry.pk}.tlog-proof").write_text(str(make_receipt(entry)))
    return folder


def write_proof(path: Path, hashes: Sequence[bytes]) -> None:
    path.write_text("".join(f"{base64.b64encode(known).decode()}\n" for known in hashes))


def check(program: Path, folder: Path) -> tuple[int, str]:
    done = subprocess.run([program, folder], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def test_go_verifies_checkpoints_tiles_entries_and_receipts(published: Path, tmp_path: Path) -> None:
    build = tmp_path / "check"
    shutil.copytree(Path(__file__).parent / "third_party", build)
    program = go_programs.build(".", build, {"golang.org/x/mod": go_programs.copy_sumdb(build)})
    print(go_programs.versions(build))  # noqa: T201  # docs/log.md names them

    assert check(program, published) == (0, "70000 entries, 10 receipts, extends 200 entries\n")

    changes: list[tuple[str, Callable[[bytes], bytes]]] = [
        ("checkpoint", lambda data: data.replace(b"70000", b"70001")),
        ("consistency", lambda data: data[:-45]),
        ("tile/0/000", lambda data: bytes([data[0] ^ 1]) + data[1:]),
        ("tile/1/000", lambda data: data[:-1] + bytes([data[-1] ^ 1])),
        ("tile/entries/000", lambda data: data.replace(b'"number":7}', b'"number":8}')),
        (
            sorted(path.name for path in published.glob("*.tlog-proof"))[3],
            lambda data: data.replace(b"index ", b"index 1"),
        ),
    ]
    for name, changed in changes:
        whole = (published / name).read_bytes()
        (published / name).write_bytes(changed(whole))
        assert check(program, published)[0] == 1, name
        (published / name).write_bytes(whole)


@pytest.mark.skipif(not SOURCES.name, reason="SOURCES has no checkouts of litewitness and what it needs")
def test_litewitness_cosigns_our_checkpoints(
    tmp_path: Path, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    with running_litewitness(tmp_path) as (address, key):
        settings.LOG_WITNESSES = [(address, str(key))]
        for count in (3, 300, 500):
            write(count)
            newest = Checkpoint.parse(store().get(keys.log_object("checkpoint")).decode())
            assert key in newest.signers([key])
        assert list(LogCosignature.objects.order_by("id").values_list("checkpoint__size", flat=True)) == [3, 303, 803]

        tables = ("logcosignature", "logleaf", "lognode", "logcheckpoint", "logsequencer", "logqueue", "logentry")
        as_superuser(*(f"DELETE FROM archive_{table}" for table in tables))
        purge_listing(store(), store().listing(keys.LOG))
        write(900)  # another log with the same name and key

        assert "log_witness_disagrees" in caplog.text
        assert not LogCosignature.objects.exists()


@contextmanager
def running_litewitness(folder: Path) -> Iterator[tuple[str, Key]]:
    """Run litewitness, which knows our log, and yield (URL, key)."""
    program = build_litewitness(folder)
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / "seed"], check=True)
    fingerprint = subprocess.check_output(["ssh-keygen", "-l", "-f", folder / "seed"], text=True).split()[1]
    agent = subprocess.Popen(["ssh-agent", "-D", "-a", folder / "agent"], stdout=subprocess.DEVNULL)
    try:
        wait_until((folder / "agent").exists, "the agent listens")
        environment = os.environ | {"SSH_AUTH_SOCK": str(folder / "agent")}
        subprocess.run(["ssh-add", "-q", folder / "seed"], env=environment, check=True)
        command: list[str | Path] = [
            *(program, "-name", "witness.example", "-key", fingerprint, "-ssh-agent", folder / "agent"),
            *("-db", folder / "litewitness.db", "-listen", f"127.0.0.1:{port}"),
        ]
        with (folder / "output").open("w") as output:
            witness = subprocess.Popen(command, stderr=output, stdout=output)
        try:
            wait_until(lambda: listens(port), "litewitness listens")
            add_our_log(folder / "litewitness.db")
            public = base64.b64decode((folder / "seed.pub").read_text().split()[1])[-32:]
            yield f"http://127.0.0.1:{port}", Key("witness.example", public, 4)
        finally:
            witness.kill()
            witness.wait()
    finally:
        agent.kill()
        agent.wait()


def listens(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


def add_our_log(database: Path) -> None:
    """Do what its `witnessctl add-log` and `add-key` do."""
    key = public_keys()[0]
    with closing(sqlite3.connect(database)) as connection, connection:
        root = base64.b64encode(EMPTY_ROOT).decode()
        connection.execute("INSERT INTO log (origin, tree_size, tree_hash) VALUES (?, 0, ?)", [key.name, root])
        connection.execute("INSERT INTO key (origin, key) VALUES (?, ?)", [key.name, str(key)])


def build_litewitness(folder: Path) -> Path:
    source = folder / "torchwood"
    shutil.copytree(SOURCES / "torchwood", source, ignore=shutil.ignore_patterns(".git"))
    modules = {module: SOURCES / name for module, name in OTHERS.items()}
    return go_programs.build(
        "./cmd/litewitness", source, modules | {"golang.org/x/mod": go_programs.copy_sumdb(source)}, UNUSED
    )
