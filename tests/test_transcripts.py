"""Transcripts in: what is kept, what is dropped, and what is refused, in words."""

from pathlib import Path

import pytest

from archive.cues import Cue
from archive.errors import Unreadable
from archive.intake.transcripts import parse


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "words.vtt"


def test_webvtt_with_voices(file: Path) -> None:
    file.write_text(
        "WEBVTT - a talk\n\n"
        "intro\n00:01.000 --> 00:02.500 align:start\n<v Nora>Good evening,\neveryone.</v>\n\n"
        "01:00:00.000 --> 01:00:03.000\n<v.loud Felix Bean>Hello!\n"
    )

    assert parse(file) == [
        Cue(1000, 2500, "Nora", "Good evening, everyone."),
        Cue(3_600_000, 3_603_000, "Felix Bean", "Hello!"),
    ]


def test_what_is_not_speech_is_dropped(file: Path) -> None:
    file.write_text(
        "WEBVTT\nKind: captions\n\nSTYLE\n::cue { color: red }\n\nREGION\nid:left\n\n"
        "NOTE for the editor\nonly\n\n"
        "00:01.000 --> 00:02.000\n<c.red>Some</c> <i>beans</i>, <00:01.500><b>two</b> tins\n\n"
        "NOTE\n00:03.000 to the end\n"
    )

    assert parse(file) == [Cue(1000, 2000, "", "Some beans, two tins")]


def test_entities_are_characters(file: Path) -> None:
    file.write_text("WEBVTT\n\n00:01.000 --> 00:02.000\n<v A &amp; B>1 &lt; 2 &amp;amp; 3&nbsp;&gt; 2\n")

    assert parse(file) == [Cue(1000, 2000, "A & B", "1 < 2 &amp; 3 > 2")]


def test_a_script_stays_text(file: Path) -> None:
    file.write_text("WEBVTT\n\n00:01.000 --> 00:02.000\n&lt;script>alert(1)&lt;/script>\n")

    assert parse(file)[0].text == "<script>alert(1)</script>"


def test_srt_with_names(file: Path) -> None:
    file.write_text(
        "1\n00:00:01,000 --> 00:00:02,500\nNora: Good evening,\neveryone.\n\n"
        "2\n00:00:03,000 --> 00:00:04,000\n<i>No name here</i>, at 10:30\n"
    )

    assert parse(file) == [
        Cue(1000, 2500, "Nora", "Good evening, everyone."),
        Cue(3000, 4000, "", "No name here, at 10:30"),
    ]


@pytest.mark.parametrize("ends", [b"\n", b"\r\n", b"\r"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("head", [b"WEBVTT\n\n", b"1\n", b"\n\n1\n"])
def test_ends_of_lines_and_byte_order_marks(file: Path, head: bytes, mark: bytes, ends: bytes) -> None:
    text = head + b"00:00:01.000 --> 00:00:02.000\nHello\n\n2\n00:00:03.000 --> 00:00:04.000\nthere\n"
    file.write_bytes(mark + text.replace(b"\n", ends))

    assert parse(file) == [Cue(1000, 2000, "", "Hello"), Cue(3000, 4000, "", "there")]


def test_cues_without_length_or_words_are_dropped_and_the_rest_put_in_order(file: Path) -> None:
    file.write_text(
        "WEBVTT\n\n00:09.000 --> 00:10.000\nlast\n\n00:05.000 --> 00:04.000\nbackwards\n\n"
        "00:05.000 --> 00:05.000\nno time\n\n00:06.000 --> 00:07.000\n<b></b>\n\n00:01.000 --> 00:02.000\nfirst\n"
    )

    assert [cue.text for cue in parse(file)] == ["first", "last"]


def test_nul_never_reaches_the_database(file: Path) -> None:
    file.write_text("WEBVTT\n\n00:01.000 --> 00:02.000\n<v No\x00ra>a\x00b\n")

    assert parse(file) == [Cue(1000, 2000, "Nora", "ab")]


NEITHER = "words.vtt: it is neither a WebVTT nor an SRT transcript."
NOTHING = "words.vtt: there is not one line of speech with its times in it."


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", NEITHER),
        (b"hello\n", NEITHER),
        (b'{"segments": []}', NEITHER),
        (b"%PDF-1.7\n1 0 obj\n", NEITHER),
        (b"WEBVTT\n", NOTHING),
        (b"WEBVTT\n\nNOTE nothing yet\n", NOTHING),
        (b"WEBVTT\n\n00:99.000 --> 00:02.000\nx\n", NOTHING),
        (b"WEBVTT\n\nsome words without a time\n", NOTHING),
        (b"1\nyesterday --> today\nx\n", NOTHING),
        (b"WEBVTT\n\n99999999999:00:01.000 --> 99999999999:00:02.000\nx\n", NOTHING),
        (b"\xff\xfeW\x00E\x00B\x00", "words.vtt: it is not text in UTF-8, so it can't be a WebVTT or SRT transcript."),
        (b"WEBVTT\n" + b" " * 20 * 1024**2, "words.vtt: a transcript of more than 20 MB is not one."),
    ],
    ids=[
        "empty",
        "words",
        "json",
        "pdf",
        "head",
        "note",
        "99 s",
        "no time",
        "no numbers",
        "for ever",
        "utf-16",
        "20 MB",
    ],
)
def test_what_is_not_a_transcript_is_refused_in_words(file: Path, content: bytes, words: str) -> None:
    file.write_bytes(content)

    with pytest.raises(Unreadable) as refused:
        parse(file)

    assert str(refused.value) == words
