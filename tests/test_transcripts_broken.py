"""Broken cues are reported by line. The others are used only on request, and then no timed words are lost."""

import pytest

from archive.cues import Cue
from archive.errors import Unreadable
from archive.intake.transcripts import Parsed, parse
from tests.support.errors import raises_error

VTT = """WEBVTT

NOTE line 3

1
00:01.000 --> 00:02.000
first

00:05.000 --> 00:04.000
backwards

2
00:05.000 --> tomorrow
no end

yesterday --> today
never

99999999:00:00.000 --> 99999999:00:01.000
for ever

00:99.000 --> 00:02.000
99 seconds
00:08.000 --> 00:08.500
no empty line before

--> 00:02.000
no start
"""
NAMED = (
    "line 9: it ends before it starts; line 13: its times can't be read; line 16: its times can't be read; "
    "line 19: its time is beyond 7 days; line 22: its times can't be read; and 1 more"
)


def test_broken_webvtt_cues_are_named_by_line() -> None:
    with pytest.raises(Unreadable) as refused:
        parse(VTT.encode(), "words.vtt")

    assert str(refused.value) == (
        f"words.vtt: 2 of its lines can be used, 6 can't: {NAMED}. "
        "Nothing was saved. Correct the file and upload it again, or keep the other lines."
    )


@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
def test_lenient_parsing_keeps_what_has_a_position_and_drops_the_rest_with_notes(ends: str) -> None:
    assert parse(VTT.replace("\n", ends).encode(), lenient=True) == Parsed(
        [
            Cue(1000, 2000, "", "first"),
            Cue(5000, 8000, "", "backwards"),
            Cue(5000, 8000, "", "no end"),
            Cue(8000, 8500, "", "no empty line before"),
        ],
        [
            "Lines with an invalid end last until the next line begins (2): "
            "line 9: it ends before it starts; line 13: its times can't be read.",
            "Broken lines that were left out (4): line 16: its times can't be read; "
            "line 19: its time is beyond 7 days; line 22: its times can't be read; line 27: its times can't be read.",
        ],
        None,
    )


def test_broken_srt_cues_are_named_by_the_line_of_their_times() -> None:
    text = (
        "1\n00:00:01,000 --> 00:00:02,000\nfirst\n\n"
        "2\nyesterday --> today\nx\n\n"
        "3\n00:00:09,000 --> 00:00:08,000\ny\n\n"
        "4\n99999999999999999999:00:00,000 --> 00:00:08,000\nz\n"
    )

    with pytest.raises(Unreadable) as refused:
        parse(text.encode(), "words.srt")

    assert str(refused.value) == (
        "words.srt: 1 of its lines can be used, 3 can't: line 6: its times can't be read; "
        "line 10: it ends before it starts; line 14: its times can't be read. "
        "Nothing was saved. Correct the file and upload it again, or keep the other lines."
    )
    assert parse(text.encode(), lenient=True).cues == [Cue(1000, 2000, "", "first"), Cue(9000, 14_000, "", "y")]


def test_one_broken_cue_is_in_the_singular() -> None:
    text = b"WEBVTT\n\n00:01.000 --> 00:02.000\na\n\nsome --> day\nb\n"

    assert parse(text, lenient=True).notes == ["Broken lines that were left out (1): line 6: its times can't be read."]


def test_a_transcript_of_broken_cues_only_is_refused() -> None:
    with pytest.raises(Unreadable) as refused:
        parse(b"WEBVTT\n\n00:05.000 --> 00:04.000\nx\n", "words.vtt")

    assert str(refused.value) == (
        "words.vtt: No line has a valid end: line 3: it ends before it starts. "
        "Nothing was saved. Correct the file and upload it again, or keep the lines with new ends."
    )


def test_nothing_can_be_kept_of_cues_without_a_position() -> None:
    with raises_error(Unreadable, "transcript.all_broken"):
        parse(b"WEBVTT\n\nsome --> day\nx\n", lenient=True)


def test_the_refusal_says_whether_lines_can_be_kept() -> None:
    with raises_error(Unreadable, "transcript.broken_lines", usable=2, broken=6):
        parse(VTT.encode())
    with raises_error(Unreadable, "transcript.wrong_ends"):
        parse(b"WEBVTT\n\n00:05.000 --> 00:04.000\nx\n")
