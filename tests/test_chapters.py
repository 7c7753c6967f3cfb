"""Chapters in a recording: read by the decoder, shown as a list and as marks, and included in the bundle."""

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import pytest

from archive.bundles.contents import members
from archive.bundles.zip64 import Literal
from archive.display.chapters import chapter_rows
from archive.errors import DecoderFailed
from archive.intake.audio.measure import measure
from archive.models import Recording, Space, User
from tests.support.audio_files import make_tone
from tests.support.broken_decoder import break_decoder
from tests.support.errors import raises_error
from tests.support.factory import make_contents, make_row
from tests.support.http_clients import make_client

CHAPTERS = [{"start_ms": 0, "title": "Hello"}, {"start_ms": 1500, "title": "Beans & <soil>"}]


def make_chapters(path: Path, kind: str, chapters: list[tuple[int, str]]) -> Path:
    """Write a tone of three seconds with chapters that start at these milliseconds."""
    plain = make_tone(path.with_name("plain"), kind)
    with av.open(str(plain)) as source, av.open(str(path), "w", format={"m4a": "mp4"}.get(kind, kind)) as target:
        stream = target.add_stream_from_template(source.streams.audio[0])
        rows = [
            {"id": n, "start": at, "end": at + 1, "time_base": Fraction(1, 1000), "metadata": {"title": title}}
            for n, (at, title) in enumerate(chapters)
        ]
        target.set_chapters(rows)  # type: ignore[arg-type]
        for packet in source.demux(source.streams.audio[0]):
            if packet.dts is not None:
                packet.stream = stream
                target.mux(packet)
    return path


def measured(path: Path) -> list[dict[str, Any]]:
    return measure(path, longest_seconds=60, step=lambda seconds: None).chapters


@pytest.mark.parametrize("kind", ["m4a", "mp3"])
def test_the_decoder_reads_them(tmp_path: Path, kind: str) -> None:
    path = make_chapters(tmp_path / "talk", kind, [(0, "Hello"), (1500, " Beans &\n<soil>\x07")])

    assert measured(path) == CHAPTERS


def test_what_cannot_be_is_left_out(tmp_path: Path) -> None:
    """Chapters after the end, chapters beyond 200, and the rest of titles over 120 characters."""
    chapters = [(n * 10, "x" * 500) for n in range(250)] + [(4000, "late")]

    found = measured(make_chapters(tmp_path / "talk", "m4a", chapters))

    assert [chapter["start_ms"] for chapter in found] == [n * 10 for n in range(200)]
    assert {len(chapter["title"]) for chapter in found[:60]} == {120}
    assert sum(len(chapter["title"]) for chapter in found) <= 8000


@pytest.mark.parametrize(
    "forged",
    [
        "7",
        '["x"]',
        '[{"start_ms": 0}]',
        '[{"start_ms": -1, "title": ""}]',
        '[{"start_ms": 0, "title": "\\0"}]',
        '[{"start_ms": 0, "title": "x" * 121}]',
        '[{"start_ms": 0, "title": ""}] * 201',
    ],
)
def test_a_forged_answer_is_no_refusal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, forged: str) -> None:
    break_decoder(monkeypatch, tmp_path, forged, old="read_chapters(source),", file="run.py")

    with raises_error(DecoderFailed, "audio.decoder_failed"):
        measured(make_tone(tmp_path / "talk", "mp3"))


@pytest.fixture
def space(db: None, alice: User) -> Space:
    space = make_row(alice)
    make_contents(space)
    Recording.objects.update(chapters=[*CHAPTERS, {"start_ms": 37_000, "title": ""}])
    return space


def test_rows_for_pages(space: Space) -> None:
    rows = chapter_rows(space.recordings.get())

    assert [(row.start, row.stamp, row.title, row.percent) for row in rows] == [
        ("0", "0:00", "Hello", 0),
        ("1.5", "0:01", "Beans & <soil>", pytest.approx(2.027, abs=0.001)),
        ("37", "0:37", "Chapter 3", 50),
    ]
    Recording.objects.update(chapters=CHAPTERS[:1])
    assert chapter_rows(space.recordings.get()) == []


def test_the_page_lists_and_marks_them(space: Space) -> None:
    page = make_client(space.host).get(f"/spaces/{space.pk}/").content.decode()

    assert '<a href="?t=1.5" data-chapter="1.5"><span class="stamp">0:01</span>' in page
    assert "Beans &amp; &lt;soil&gt;" in page
    assert '<line x1="50.00%" x2="50.00%" y2="100%"/>' in page


def test_the_bundle_has_them(space: Space) -> None:
    named = {member.name: member.body for member in members(space, "bag")}

    body = named["bag/data/chapters.json"]
    assert isinstance(body, Literal)
    assert json.loads(body.data) == {
        "version": "1.2.0",
        "chapters": [
            {"startTime": 0.0, "title": "Hello"},
            {"startTime": 1.5, "title": "Beans & <soil>"},
            {"startTime": 37.0, "title": ""},
        ],
    }
    page = named["bag/data/index.html"]
    assert isinstance(page, Literal)
    assert "Chapter 3" in page.data.decode()
    Recording.objects.update(chapters=[])
    assert "bag/data/chapters.json" not in {member.name for member in members(Space.objects.get(pk=space.pk), "bag")}
