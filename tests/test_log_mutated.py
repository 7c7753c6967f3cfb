"""Each mutated export of the log is detected, and each clean one is verified.

`make fuzz` tries 10,000 of each (MUTATED_LOGS=...), `make test` a sample.
"""

import json
import os
import zipfile
from collections.abc import Callable
from io import BytesIO
from typing import Any
from unittest.mock import patch

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from archive.transparency import verify_log
from archive.transparency.verify_log import Checkpoint, Export, Invalid, split_notes, verify_export
from tests.support.log_exports import KEY, entry, make_files

COUNT = int(os.environ.get("MUTATED_LOGS", "150"))
OTHER = Ed25519PrivateKey.from_private_bytes(b"x" * 32)
PROVEN = ("entries.jsonl", "checkpoints.txt", "tile/")
many = settings(max_examples=COUNT, deadline=None, suppress_health_check=list(HealthCheck))

Files = dict[str, bytes]


@st.composite
def logs(draw: st.DrawFn) -> tuple[int, tuple[int, ...]]:
    """Generate a number of entries, and the sizes of checkpoints; the last one covers all entries."""
    count = draw(st.one_of(st.integers(1, 40), st.sampled_from([255, 256, 257, 300])))
    return count, (*sorted(draw(st.sets(st.integers(1, count), max_size=3)) - {count}), count)


def clean(log: tuple[int, tuple[int, ...]]) -> Files:
    count, sizes = log
    return make_files([entry(number) for number in range(count)], sizes)


def verdict(files: Files, known: list[Checkpoint] | None = None) -> str:
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w") as package:
        for name, content in files.items():
            package.writestr(name, content)
    try:
        verify_export(Export(zipfile.Path(zipfile.ZipFile(buffer))), [KEY], known or [])
    except Invalid as error:
        str(error)  # each verdict has a message
        return error.code
    return "log.verified"


def full_verdict(files: Files, **options: Any) -> Any:
    """Return the verdict with its values."""
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w") as package:
        for name, content in files.items():
            package.writestr(name, content)
    try:
        return verify_export(Export(zipfile.Path(zipfile.ZipFile(buffer))), [KEY], **options)
    except Invalid as error:
        return error.code, error.values


def checkpoints(files: Files) -> list[Checkpoint]:
    return [Checkpoint.parse(note) for note in split_notes(files["checkpoints.txt"].decode())]


def edit_bytes(files: Files, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(files)))
    content = bytearray(files[name])
    content[data.draw(st.integers(0, len(content) - 1))] ^= data.draw(st.integers(1, 255))
    files[name] = bytes(content)


def truncate(files: Files, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(files)))
    files[name] = files[name][: data.draw(st.integers(0, len(files[name]) - 1))]


def append_bytes(files: Files, data: st.DataObject) -> None:
    files[data.draw(st.sampled_from(sorted(files)))] += data.draw(st.binary(min_size=1, max_size=40))


def drop_file(files: Files, data: st.DataObject) -> None:
    del files[data.draw(st.sampled_from(sorted(files)))]


def on_lines(change: Callable[[list[bytes], st.DataObject], None]) -> Callable[[Files, st.DataObject], None]:
    def mutate(files: Files, data: st.DataObject) -> None:
        lines = files["entries.jsonl"].splitlines(keepends=True)
        change(lines, data)
        files["entries.jsonl"] = b"".join(lines)

    return mutate


@on_lines
def delete_lines(lines: list[bytes], data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(lines) - 1))
    del lines[start : start + data.draw(st.integers(1, 5))]


@on_lines
def swap_lines(lines: list[bytes], data: st.DataObject) -> None:
    a, b = data.draw(st.lists(st.integers(0, len(lines)), min_size=2, max_size=2, unique=True))
    lines.append(b'{"id":0}\n')  # so that there are two
    lines[a], lines[b] = lines[b], lines[a]


@on_lines
def insert_line(lines: list[bytes], data: st.DataObject) -> None:
    line = data.draw(st.sampled_from([*lines, b"{}\n", b"\n"]))
    lines.insert(data.draw(st.integers(0, len(lines))), line)


def sign_again(files: Files, data: st.DataObject) -> None:
    """Change an entry and all hashes above it, and sign with another key."""
    lines = files["entries.jsonl"].splitlines()
    lines[data.draw(st.integers(0, len(lines) - 1))] = b"{}"
    sizes = [checkpoint.size for checkpoint in checkpoints(files)]
    files.clear()
    files.update(make_files(lines, sizes, OTHER))


MUTATIONS = [
    edit_bytes, truncate, append_bytes, drop_file, delete_lines, swap_lines, insert_line, sign_again,
]  # fmt: skip


@many
@given(logs())
def test_clean_exports_are_verified(log: tuple[int, tuple[int, ...]]) -> None:
    files = clean(log)

    assert verdict(files) == "log.verified"
    assert verdict(files, checkpoints(files)) == "log.verified"


@many
@given(logs(), st.sampled_from(MUTATIONS), st.data())
def test_mutated_exports_are_caught(
    log: tuple[int, tuple[int, ...]], mutate: Callable[[Files, st.DataObject], None], data: st.DataObject
) -> None:
    files = clean(log)
    before = dict(files)
    mutate(files, data)

    assert files != before
    assert verdict(files) != "log.verified"


@many
@given(logs(), st.sampled_from([None, *MUTATIONS]), st.data())
def test_a_pass_that_was_resumed_comes_to_the_same_verdict(
    log: tuple[int, tuple[int, ...]], mutate: Callable[[Files, st.DataObject], None] | None, data: st.DataObject
) -> None:
    files = clean(log)
    if mutate:
        mutate(files, data)
    states: list[str] = []
    with patch.object(verify_log, "SAVED_EACH", data.draw(st.integers(1, 40))):
        whole = full_verdict(files, save=lambda state: states.append(json.dumps(state)))
        for state in [data.draw(st.sampled_from(states)), states[-1]] if states else []:
            assert full_verdict(files, state=json.loads(state)) == whole


@many
@given(logs(), st.data())
def test_forks_are_caught_by_a_checkpoint_of_the_other_branch(
    log: tuple[int, tuple[int, ...]], data: st.DataObject
) -> None:
    """The owner of key and database can sign a different log. A checkpoint that somebody kept reveals it."""
    count, sizes = log
    kept = checkpoints(clean(log))[-1]
    start = data.draw(st.integers(0, count - 1))
    entries = [entry(number) for number in range(start)] + [entry(5000 + number) for number in range(start, count)]

    assert verdict(make_files(entries, sizes)) == "log.verified"
    assert verdict(make_files(entries, sizes), [kept]) == "checkpoint.forked"
    shorter = make_files(entries[: start + 1], (start + 1,))
    assert verdict(shorter, [kept]) in ("entries.cut_off", "checkpoint.forked", "entries.differ")
