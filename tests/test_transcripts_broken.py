"""Broken cues are named by line, and dropped only on request."""

import pytest

from archive.cues import Cue
from archive.errors import Unreadable
from archive.intake.transcripts import Parsed, parse

VTT = """WEBVTT

NOTE line 3

1
00:01.000 --> 00:02.000
first

00:05.000 --> 00:04.000
backwards

2
00:05.000 --> 00:05.000
no time

yesterday --> today
never

99999999:00:00.000 --> 99999999:00:01.000
for ever

and words
without times

00:99.000 --> 00:02.000
99 seconds
00:08.000 --> 00:08.500
no empty line before

--> 00:02.000
no start
"""
NAMED = (
    "line 9: it ends before it starts; line 13: it ends when it starts; line 16: its times can't be read; "
    "line 19: its time is beyond 7 days; line 22: it has no times; and 2 more"
)


def test_broken_webvtt_cues_are_named_by_line() -> None:
    with pytest.raises(Unreadable) as refused:
        parse(VTT.encode(), "words.vtt")

    assert str(refused.value) == (
        f"words.vtt: 2 of its lines can be used, 7 can't: {NAMED}. "
        "Nothing was saved. Correct the file and upload it again, or keep the other lines."
    )


@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
def test_lenient_parsing_drops_broken_cues_with_a_note(ends: str) -> None:
    assert parse(VTT.replace("\n", ends).encode(), lenient=True) == Parsed(
        [Cue(1000, 2000, "", "first"), Cue(8000, 8500, "", "no empty line before")],
        [f"Broken lines that were left out (7): {NAMED}."],
        None,
    )


def test_broken_srt_cues_are_named_by_the_line_of_their_times() -> None:
    text = (
        "1\n00:00:01,000 --> 00:00:02,000\nfirst\n\n"
        "2\nyesterday --> today\nx\n\n"
        "3\n00:00:09,000 --> 00:00:08,000\nx\n\n"
        "4\n99999999999999999999:00:00,000 --> 00:00:08,000\nx\n"
    )

    with pytest.raises(Unreadable) as refused:
        parse(text.encode(), "words.srt")

    assert str(refused.value) == (
        "words.srt: 1 of its lines can be used, 3 can't: line 6: its times can't be read; "
        "line 10: it ends before it starts; line 14: its times can't be read. "
        "Nothing was saved. Correct the file and upload it again, or keep the other lines."
    )
    assert parse(text.encode(), lenient=True).cues == [Cue(1000, 2000, "", "first")]


def test_one_broken_cue_is_in_the_singular() -> None:
    text = b"WEBVTT\n\n00:01.000 --> 00:02.000\na\n\n00:01.000 --> 00:00.000\nb\n"

    assert parse(text, lenient=True).notes == ["Broken lines that were left out (1): line 6: it ends before it starts."]


@pytest.mark.parametrize("lenient", [False, True])
def test_a_transcript_of_broken_cues_only_is_refused(lenient: bool) -> None:
    with pytest.raises(Unreadable) as refused:
        parse(b"WEBVTT\n\n00:05.000 --> 00:04.000\nx\n", "words.vtt", lenient=lenient)

    assert str(refused.value) == (
        "words.vtt: No line can be used: line 3: it ends before it starts. "
        "Nothing was saved. Correct the file, and upload it again."
    )
