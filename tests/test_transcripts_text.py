"""Import plain text with times."""

import pytest

from archive.cues import Cue
from archive.errors import Unreadable
from archive.intake.transcripts import parse


def test_each_line_lasts_until_the_next_begins() -> None:
    parsed = parse(
        b"[00:00:01] Nora: Good evening,\neveryone.\n\n"
        b"[00:00:04] Felix: Hello!\n[0:04.500]  Ida: Hi\n[1:00:00] Nora: Bye\n"
    )

    assert parsed.cues == [
        Cue(1000, 4000, "Nora", "Good evening, everyone."),
        Cue(4000, 4500, "Felix", "Hello!"),
        Cue(4500, 3_600_000, "Ida", "Hi"),
        Cue(3_600_000, 3_605_000, "Nora", "Bye"),
    ]
    assert parsed.notes == ["Plain text has no ends: each line lasts until the next begins."]


def test_lines_of_one_second_share_it() -> None:
    assert parse(b"[00:00:02] c\n[00:00:01] a\n[00:00:01] b\n").cues == [
        Cue(1000, 2000, "", "a"),
        Cue(1000, 2000, "", "b"),
        Cue(2000, 7000, "", "c"),
    ]


def test_text_with_a_title_and_a_wrong_time_names_both() -> None:
    with pytest.raises(Unreadable) as refused:
        parse(b"A talk\n[00:00:01] a\n[00:61:00] b\n[9999:00:00] c\n", "talk.txt")

    assert str(refused.value) == (
        "talk.txt: 1 of its lines can be used, 3 can't: line 1: it has no times; "
        "line 3: its time can't be read; line 4: its time can't be read. "
        "Nothing was saved. Correct the file and upload it again, or keep the other lines."
    )
