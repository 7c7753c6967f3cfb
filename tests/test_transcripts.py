"""Parsing that all transcript formats share: plain text, encodings, and files that are not transcripts."""

from pathlib import Path

import pytest

from archive.cues import Cue
from archive.errors import Unreadable
from archive.intake.transcripts import Parsed, parse
from tests.support.errors import raises_error

CUE = Cue(1000, 2000, "Nora", "Grüße 🌱")
VTT = "WEBVTT\n\n00:01.000 --> 00:02.000\n<v Nora>Grüße 🌱\n"


def test_a_file_or_bytes(tmp_path: Path) -> None:
    file = tmp_path / "words.vtt"
    file.write_text(VTT)

    assert parse(file) == Parsed([CUE], [], None)
    assert parse(VTT.encode(), "words.vtt") == Parsed([CUE], [], None)


@pytest.mark.parametrize("ends", [b"\n", b"\r\n", b"\r"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("head", [b"WEBVTT\n\n", b"1\n", b"\n\n1\n", b""])
def test_ends_of_lines_and_byte_order_marks(head: bytes, mark: bytes, ends: bytes) -> None:
    text = head + b"00:00:01.000 --> 00:00:02.000\nHello\n\n2\n00:00:03.000 --> 00:00:04.000\nthere\n"

    parsed = parse(mark + text.replace(b"\n", ends)).cues

    assert parsed == [Cue(1000, 2000, "", "Hello"), Cue(3000, 4000, "", "there")]


@pytest.mark.parametrize(
    ("mark", "encoding"),
    [
        (b"\xff\xfe", "utf-16-le"),
        (b"\xfe\xff", "utf-16-be"),
        (b"\xff\xfe\x00\x00", "utf-32-le"),
        (b"\x00\x00\xfe\xff", "utf-32-be"),
    ],
)
def test_a_byte_order_mark_gives_the_encoding(mark: bytes, encoding: str) -> None:
    assert parse(mark + VTT.encode(encoding)).cues == [CUE]


@pytest.mark.parametrize("data", ["Grüße".encode("latin-1"), b"\xff\xfe\x00\xd8\x00\xd8", b"RIFF\x24\xf0WAVE"])
def test_what_is_not_utf8_is_refused(data: bytes) -> None:
    with raises_error(Unreadable, "transcript.not_utf8", file="words.vtt"):
        parse(data, "words.vtt")


def test_cues_are_sorted_and_overlaps_kept() -> None:
    text = (
        "WEBVTT\n\n00:09.000 --> 00:10.000\nlast\n\n00:01.000 --> 00:02.000\n<v Nora>a\n\n00:01.000 --> 00:02.000\nb\n"
    )

    assert [cue.text for cue in parse(text.encode()).cues] == ["a", "b", "last"]


def test_controls_never_reach_the_database() -> None:
    text = "WEBVTT\n\n00:01.000 --> 00:02.000\n<v No\x00ra>a\x00b\x1b[2J\x7f\n"

    assert parse(text.encode()).cues == [Cue(1000, 2000, "Nora", "ab[2J")]


NO_TIMES, NOTHING = "transcript.unknown_format", "transcript.no_lines"


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", NO_TIMES),
        (b"hello\n", NO_TIMES),
        (b"%PDF-1.7\n1 0 obj\n", NO_TIMES),
        (b"[1, 2]", NO_TIMES),
        (b"W\x00E\x00B\x00", NO_TIMES),
        (b"WEBVTT\n", NOTHING),
        (b"WEBVTT\n\nNOTE nothing yet\n", NOTHING),
        (b"WEBVTT\n\n00:01.000 --> 00:02.000\n<b></b>\n", NOTHING),
        (b'{"segments": []}', NOTHING),
        (b"WEBVTT\n" + b" " * 20 * 10**6, "transcript.too_large"),
    ],
    ids=["empty", "words", "pdf", "list", "no mark", "head", "note", "tags", "no segments", "20 MB"],
)
def test_a_file_that_is_no_transcript_is_refused_with_a_reason(content: bytes, code: str) -> None:
    with raises_error(Unreadable, code, file="words"):
        parse(content, "words")


def test_without_a_name_it_is_the_transcript() -> None:
    with raises_error(Unreadable, "transcript.no_lines", file="the transcript"):
        parse(b"WEBVTT\n")
