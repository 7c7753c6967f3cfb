"""The request in which the upload page asks what the chosen files are: its response, limits and refusals."""

import json
from time import process_time
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from archive.intake import importers
from archive.intake.importers.sniff import SNIFFED_BYTES
from archive.models import Space, User
from portal.views.upload import read_heads
from tests.support.http_clients import make_client

pytestmark = pytest.mark.usefixtures("db")

OGG = b"OggS\x00\x02" + bytes(60)
VTT = b"WEBVTT\n\n00:00.000 --> 00:01.000\nBeans.\n"
JPEG = b"\xff\xd8\xff\xe0"
NAMES = {"name": "x", "size": 1, "head": 1, "fault": ""}


def sort(
    user: User, *files: tuple[str, bytes], sizes: dict[str, int] | None = None, fault: str = ""
) -> tuple[int, dict[str, Any]]:
    description = [
        {"name": name, "size": (sizes or {}).get(name, len(data)), "head": len(data), "fault": fault}
        for name, data in files
    ]
    heads = SimpleUploadedFile("heads", b"".join(data for _, data in files) or b" ")
    answer = make_client(user).post("/upload/sort", {"files": json.dumps(description), "heads": heads})
    return answer.status_code, answer.json()


def test_each_file_is_sorted(alice: User) -> None:
    status, answer = sort(
        alice,
        ("evening/talk.ogg", OGG),
        ("evening/talk.ogg.vtt", VTT),
        ("evening/talk.de.vtt", VTT),
        ("evening/stranger.srt", VTT),
        ("evening/facts.json", b'{"volume": 11}'),
        ("evening/cover.jpg", JPEG),
        ("evening/.DS_Store", b""),
        sizes={"evening/talk.ogg": 5_000_000_000},
    )

    assert status == 200
    assert answer["files"] == [
        {"file": "evening/talk.ogg", "kind": "recording", "recordings": [], "language": ""},
        {
            "file": "evening/talk.ogg.vtt",
            "kind": "transcript",
            "recordings": ["evening/talk.ogg"],
            "language": "",
        },
        {"file": "evening/facts.json", "kind": "metadata", "recordings": [], "language": ""},
        {"file": "evening/stranger.srt", "kind": "transcript", "recordings": [], "language": ""},
    ]
    assert [(one["file"], one["code"]) for one in answer["left_out"]] == [
        ("evening/.DS_Store", "import.hidden"),
        ("evening/cover.jpg", "import.picture"),
        ("evening/talk.de.vtt", "import.other_transcript"),
    ]
    assert not Space.objects.exists()


def test_files_may_come_before_the_recording(alice: User) -> None:
    metadata = b'window.YTD.spaces_metadata.part0 = [{"id": "1"}]'

    _, answer = sort(alice, ("talk.vtt", VTT), ("spaces-metadata.js", metadata), ("result.json", b'{"egress_id": "1"}'))

    assert sorted((one["file"], one["kind"]) for one in answer["files"]) == [
        ("result.json", "metadata"),
        ("spaces-metadata.js", "metadata"),
        ("talk.vtt", "transcript"),
    ]
    assert answer["left_out"] == []


@pytest.mark.parametrize(
    ("fault", "code"),
    [("encrypted", "import.member_encrypted"), ("packed", "import.member_compression"), ("odd", "import.unknown_kind")],
)
def test_a_member_that_the_page_cannot_read_has_its_reason(alice: User, fault: str, code: str) -> None:
    _, answer = sort(alice, ("secret", b""), ("talk.ogg", b""), sizes={"secret": 10, "talk.ogg": 10}, fault=fault)

    assert [one["code"] for one in answer["left_out"]] == [code]
    assert [(one["file"], one["kind"]) for one in answer["files"]] == [("talk.ogg", "recording")]  # by its name


@pytest.mark.parametrize(
    "files",
    [
        "nonsense",
        "{}x",
        '{"a": 1}',
        "[1]",
        '[{"name": "x"}]',
        '[{"name": "x", "size": "many", "head": 0, "fault": ""}]',
        '[{"name": "x", "size": Infinity, "head": 0, "fault": ""}]',
        '[{"name": "x", "size": 1, "head": 1e999, "fault": ""}]',
        "[" * 100_000,
    ],
)
def test_an_odd_description_is_refused(alice: User, files: str) -> None:
    answer = make_client(alice).post("/upload/sort", {"files": files})

    assert answer.status_code == 400
    assert answer.json()["detail"]


def test_too_many_files_and_too_many_bytes_are_refused_each_with_its_reason(alice: User) -> None:
    limit = 500 * SNIFFED_BYTES
    files = [NAMES | {"name": f"{number}.bin"} for number in range(501)]
    many = make_client(alice).post("/upload/sort", {"files": json.dumps(files)})
    large = make_client(alice).post("/upload/sort", {"files": "[]", "heads": SimpleUploadedFile("x", bytes(limit + 1))})
    most = make_client(alice).post(
        "/upload/sort", {"files": json.dumps(files[:500]), "heads": SimpleUploadedFile("x", bytes(limit))}
    )

    assert (many.status_code, large.status_code, most.status_code) == (413, 413, 200)
    assert "500" in many.json()["detail"]
    assert many.json() != large.json()


LINES = "".join(f"{n}\n00:00:{n % 60:02},000 --> 00:00:{n % 60:02},900\nIda: words\n\n" for n in range(1000)).encode()
SLOW = {
    "srt": LINES[:SNIFFED_BYTES],
    "lrc": (b"[00:01.20]words of it\n" * 2000)[:SNIFFED_BYTES],
    "mp3": b"\xff" * SNIFFED_BYTES,
    "ttml": (b'<tt xmlns="http://www.w3.org/ns/ttml">' + b'<p begin="1s" end="2s">a</p>' * 800)[:SNIFFED_BYTES],
}


@pytest.mark.parametrize("ending", SLOW)
def test_five_hundred_files_take_less_than_a_second(ending: str) -> None:
    """This runs in the web process, where it once took up to 12 s."""
    heads = [importers.Head(f"{number}.{ending}", SNIFFED_BYTES, SLOW[ending]) for number in range(500)]

    start = process_time()
    files, left_out = importers.sort_heads(heads)

    assert process_time() - start < 1
    assert len(files) + sum(line.count for line in left_out) == 500


@pytest.mark.parametrize("length", [-5, 10**30])
def test_lengths_are_not_believed(alice: User, length: int) -> None:
    description = json.dumps([NAMES | {"name": "a.ogg", "head": length}, NAMES | {"name": "b.vtt", "head": 5}])

    answer = make_client(alice).post("/upload/sort", {"files": description})

    assert answer.status_code == 200
    assert [one["file"] for one in answer.json()["files"]] == ["a.ogg"]


def test_no_file_has_more_than_its_own_first_bytes() -> None:
    """Otherwise one request of 16 MB could use gigabytes, or have a file of 16 MB parsed."""
    lengths = [*[-1] * 400, 20_000, 5]
    files = [NAMES | {"name": f"{number}.vtt", "head": length} for number, length in enumerate(lengths)]

    heads = read_heads(json.dumps(files), b"x" * 20_000 + b"words" + b"x" * 1_000_000)

    assert [head.data for head in heads] == [*[b""] * 400, b"x" * SNIFFED_BYTES, b"words"]


def test_names_are_hostile(alice: User) -> None:
    names = ["../../etc/passwd.ogg", "", "/", "a" * 5000 + ".ogg", "\u202egpj.ogg", "talk.ogg", "talk.ogg"]

    status, answer = sort(alice, *((name, OGG) for name in names))

    assert status == 200
    assert "talk.ogg" in [one["file"] for one in answer["files"]]


def test_who_may_not_upload_may_not_ask(auditor: User, alice: User) -> None:
    assert make_client(auditor).post("/upload/sort", {"files": "[]"}).status_code == 404
    assert make_client().post("/upload/sort", {"files": "[]"}).status_code == 302
    assert make_client(alice).get("/upload/sort").status_code == 405
    assert make_client(alice, enforce_csrf_checks=True).post("/upload/sort", {"files": "[]"}).status_code == 403
