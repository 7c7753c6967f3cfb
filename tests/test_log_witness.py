"""Witnesses: the command that anybody can run, and the archive's requests for cosignatures."""

from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from django.db import transaction
from pytest_django import Settings

from archive import log
from archive.log import SYSTEM, events
from archive.models import LogCosignature
from archive.storage import keys, store
from archive.storage.purge_prefix import purge_listing
from archive.transparency.keys import public_keys
from archive.transparency.verify_log import Checkpoint
from tests.support.database import as_superuser
from tests.support.http_server import serve
from tests.support.log_exports import sign
from tests.support.log_rounds import run_round
from tests.support.running_witness import Running

pytestmark = pytest.mark.usefixtures("committed")


@pytest.fixture(autouse=True)
def no_log_objects(committed: None, bucket: object) -> None:
    purge_listing(store(), store().listing(keys.LOG))


@pytest.fixture
def running(tmp_path: Path, settings: Settings) -> Iterator[Running]:
    started = Running(tmp_path)
    settings.LOG_WITNESSES = [(f"http://127.0.0.1:{started.port}", str(started.key))]
    settings.LOG_CHECKPOINT_SECONDS = 0
    yield started
    started.stop()


def write(count: int) -> None:
    with transaction.atomic():
        log.record_all(events.DIGEST_EMPTY, [(None, {"number": i}) for i in range(count)], actor=SYSTEM)


def published() -> Checkpoint:
    return Checkpoint.parse(store().get(keys.log_object("checkpoint")).decode())


def test_each_checkpoint_is_cosigned_and_published_with_its_cosignature(running: Running) -> None:
    for count in (3, 300):
        write(count)
        run_round()
        assert running.key in published().signers([running.key])

    assert list(LogCosignature.objects.values_list("checkpoint__size", flat=True)) == [3, 303]
    assert published().require_signature(public_keys()) == public_keys()


def test_a_lost_answer_is_asked_for_again(running: Running) -> None:
    write(3)
    run_round()
    as_superuser("DELETE FROM archive_logcosignature")  # the archive died before it stored the response

    run_round()

    assert LogCosignature.objects.count() == 1


def test_a_witness_that_is_down_stops_nothing(running: Running) -> None:
    running.stop()
    write(3)

    run_round()

    assert published().size == 3


UNUSABLE = [
    b"HTTP/1.1 409 Conflict\r\nContent-Length: 3\r\n\r\n-1\n",
    b"HTTP/1.1 409 Conflict\r\nContent-Length: 2\r\n\r\n\xff\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n\xff\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: 70000\r\n\r\n" + b"x" * 70_000,
    b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nX: " + b"x" * 70_000 + b"\r\n\r\n",
    b"garbage\r\n\r\n",
    b"",
]


class Unusable(BaseHTTPRequestHandler):
    """Gives the answer that the path numbers."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.wfile.write(UNUSABLE[int(self.path.split("/")[1])])

    def log_message(self, format: str, *args: object) -> None:
        pass


def test_no_answer_of_a_witness_keeps_the_next_from_being_asked(
    running: Running, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    names = [f"w{number}.example" for number in range(len(UNUSABLE))]
    with serve(Unusable) as url:
        keys_of_others = [str(replace(running.key, name=name)) for name in names]
        others = [(f"{url}/{number}", key) for number, key in enumerate(keys_of_others)]
        settings.LOG_WITNESSES = [*others, *settings.LOG_WITNESSES]
        write(3)

        run_round()

    assert running.key in published().signers([running.key])
    lines = [record.getMessage() for record in caplog.records if "log_witness_unreachable" in record.getMessage()]
    assert [name for name in names if any(name in line for line in lines)] == names


def test_a_restored_older_database_is_noticed(running: Running, caplog: pytest.LogCaptureFixture) -> None:
    write(5)
    run_round()
    tables = ("logcosignature", "logleaf", "lognode", "logcheckpoint", "logsequencer", "logqueue", "logentry")
    as_superuser(*(f"DELETE FROM archive_{table}" for table in tables))
    purge_listing(store(), store().listing(keys.LOG))  # the store was lost, too: only the witness has the checkpoint
    write(4)

    run_round()

    assert "log_witness_ahead" in caplog.text
    assert not LogCosignature.objects.exists()


def test_a_rewritten_log_is_noticed(running: Running, caplog: pytest.LogCaptureFixture) -> None:
    write(5)
    run_round()
    tables = ("logcosignature", "logleaf", "lognode", "logcheckpoint", "logsequencer", "logqueue", "logentry")
    as_superuser(*(f"DELETE FROM archive_{table}" for table in tables))
    purge_listing(store(), store().listing(keys.LOG))
    write(9)

    run_round()

    assert "log_witness_disagrees" in caplog.text


ROOTS = [bytes([number]) * 32 for number in range(3)]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ("", 413),
        ("old 0\n", 400),
        ("old 00\n\n" + sign(3, ROOTS[0]), 400),
        ("old 4\n\n" + sign(3, ROOTS[0]), 400),
        ("old 0\nnot base64\n\n" + sign(3, ROOTS[0]), 400),
        ("old 0\n\n" + sign(3, ROOTS[0], origin="unknown.example/log"), 404),
        ("old 0\n\n" + sign(3, ROOTS[0]).replace("\n3\n", "\n4\n"), 403),
        ("old 0\n" + "A" * 43 + "=\n\n" + sign(3, ROOTS[0]), 422),
        ("old 0\n\n" + sign(0, ROOTS[0]), 422),
        ("old 2\n\n" + sign(3, ROOTS[0]), 409),
        ("old 0\n\n" + sign(3, ROOTS[0]), 200),
        ("x" * 70_000, 413),
    ],
)
def test_the_statuses_are_those_of_the_protocol(running: Running, body: str, status: int) -> None:
    assert running.ask("POST", "/add-checkpoint", body)[0] == status


def test_what_was_cosigned_is_remembered_and_served(running: Running) -> None:
    first, same, other = sign(3, ROOTS[0]), sign(3, ROOTS[0]), sign(3, ROOTS[1])
    assert running.ask("POST", "/add-checkpoint", f"old 0\n\n{first}")[0] == 200
    assert running.ask("POST", "/add-checkpoint", f"old 0\n\n{first}") == (409, "3\n")
    assert running.ask("POST", "/add-checkpoint", f"old 3\n\n{same}")[0] == 200
    assert running.ask("POST", "/add-checkpoint", f"old 3\n\n{other}")[0] == 422
    status, note = running.ask("GET", "/7fa3eef281f3c822b4a546124414d27ab64327f93590a455326949ae6f6877a7/checkpoint")
    assert (status, running.key in Checkpoint.parse(note).signers([running.key])) == (200, True)
    assert running.ask("GET", f"/{'0' * 64}/checkpoint")[0] == 404
