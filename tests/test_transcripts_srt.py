"""Import SRT as SubRip and as people write it."""

from archive.cues import Cue
from archive.intake.transcripts import parse


def read(text: str) -> list[Cue]:
    return parse(text.encode()).cues


def test_names_and_tags() -> None:
    assert read(
        "1\n00:00:01,000 --> 00:00:02,500\nNora: Good evening,\neveryone.\n\n"
        '2\n00:00:03,000 --> 00:00:04,000\n{\\an8}<i>No name here</i>, <font color="red">at</font> 10:30\n'
    ) == [
        Cue(1000, 2500, "Nora", "Good evening, everyone."),
        Cue(3000, 4000, "", "No name here, at 10:30"),
    ]


def test_entities_are_decoded_once() -> None:
    assert read("1\n00:00:01,000 --> 00:00:02,000\n&lt;b&gt; &amp;amp; <3\n") == [Cue(1000, 2000, "", "<b> &amp; <3")]


def test_cues_without_empty_lines_between_them() -> None:
    assert read(
        "1\n00:00:01,000 --> 00:00:02,000\nOne\n"
        "2\n00:00:02,000 --> 00:00:03,000\n2026\n"
        "3\n00:00:03,000 --> 00:00:04,000\nx"
    ) == [Cue(1000, 2000, "", "One"), Cue(2000, 3000, "", "2026"), Cue(3000, 4000, "", "x")]


def test_without_numbers() -> None:
    assert read("00:00:01,000 --> 00:00:02,000\nOne\n\n00:00:02,000 --> 00:00:03,000\nTwo\n") == [
        Cue(1000, 2000, "", "One"),
        Cue(2000, 3000, "", "Two"),
    ]


def test_text_goes_on_over_empty_lines_and_arrows() -> None:
    assert read("1\n00:00:01,000 --> 00:00:02,000\nOne --> two\n\nand more\n7 --> 8\n") == [
        Cue(1000, 2000, "", "One --> two and more 7 --> 8")
    ]


def test_a_cue_without_words_is_passed_over() -> None:
    assert read("1\n00:00:01,000 --> 00:00:02,000\n\n2\n00:00:02,000 --> 00:00:03,000\nTwo\n") == [
        Cue(2000, 3000, "", "Two")
    ]
