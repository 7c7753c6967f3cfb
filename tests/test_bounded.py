"""Untrusted metadata files have a bounded cost: they are parsed once, in a process with resource limits and without our
secrets."""

import os
import resource
import signal
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import translation

from archive.errors import InspectionFailed, Refused, TooManyRequests
from archive.intake import bounded, importers
from archive.intake.bounded import run_bounded
from archive.intake.importers import tree, values
from archive.models import User
from tests.support.errors import raises_error
from tests.support.http_clients import make_client
from tests.support.procfs import children

MANY_KEYS = b"{" + b",".join(b'"%d":[]' % number for number in range(70_000)) + b"}"  # 0.8 MiB that are slow to parse


def loop() -> None:
    while True:
        pass


def fill_memory() -> int:
    return len(bytearray(1024**3))


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def sleep() -> None:
    time.sleep(60)


def return_too_much() -> str:
    return "x" * (5 * 1024**2)


def write_a_file() -> None:
    Path(f"written-by-{os.getpid()}").write_text("x")


@pytest.mark.parametrize("work", [pytest.param(loop, marks=pytest.mark.long), fill_memory, die, sleep, return_too_much])
def test_what_needs_too_much_is_refused(
    work: Callable[[], Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(bounded, "CPU_SECONDS", 1)
    monkeypatch.setattr(bounded, "SECONDS", 0.5 if work is sleep else 10.0)
    monkeypatch.chdir(tmp_path)
    before = children()

    with raises_error(Refused, "import.too_complex"):
        run_bounded(work)

    assert children() == before


def test_no_file_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No inspected file can make our code write a file today, so a written file would be a bug."""
    monkeypatch.chdir(tmp_path)

    with raises_error(InspectionFailed, "import.failed", error="OSError"):
        run_bounded(write_a_file)

    assert [file.stat().st_size for file in tmp_path.iterdir()] == [0]


def test_the_process_has_limits_and_none_of_our_files() -> None:
    with socket.create_server(("127.0.0.1", 0)), translation.override("en-gb"):
        answer = run_bounded(
            lambda: {
                "files": len(list(Path("/proc/self/fd").iterdir())),  # includes the listing itself
                "language": translation.get_language(),
                "niceness": os.nice(0),
                "limits": [resource.getrlimit(kind)[0] for kind in (resource.RLIMIT_CPU, resource.RLIMIT_FSIZE)],
            }
        )

    assert answer == {"files": 5, "language": "en-gb", "niceness": min(19, os.nice(0) + 10), "limits": [4, 0]}


def test_only_two_are_at_it_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounded, "SECONDS", 0.05)
    for _ in range(2):
        bounded._turns.acquire()
    try:
        with raises_error(TooManyRequests, "import.busy"):
            run_bounded(dict)
    finally:
        bounded._turns.release(2)
    monkeypatch.undo()
    assert run_bounded(dict) == {}


def test_each_description_is_parsed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    parsed = []

    def count(data: bytes, name: str) -> object:
        parsed.append(name)
        return document(data, name)

    document = values.document
    monkeypatch.setattr(tree, "document", count)
    files = {f"{letter}.json": b'{"0": []}' for letter in "abcd"} | {"talk.m4a": b""}

    assert len(importers.inspect(files).notes) == 4
    assert sorted(parsed) == ["a.json", "b.json", "c.json", "d.json"]


@pytest.mark.usefixtures("db")
def test_descriptions_with_many_keys(alice: User) -> None:
    """The smaller size is what a page may send, and is answered; a larger file is refused unread."""
    client = make_client(alice)

    def inspect(times: int) -> tuple[int, Any]:
        files = [SimpleUploadedFile(f"{n}.json", MANY_KEYS * times) for n in range(4)]
        answer = client.post("/upload/inspect", {"file": files, "recording": "talk.m4a"})
        return answer.status_code, answer.json()

    status, facts = inspect(1)
    names = [note.partition(":")[0] for note in facts["notes"]]
    assert (status, names) == (200, ["0.json", "1.json", "2.json", "3.json"])
    assert inspect(5)[0] == 413
