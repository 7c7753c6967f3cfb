"""Import WebVTT: speakers, ignored blocks, and Zoom's names."""

import pytest

from archive.cues import Cue
from archive.intake.transcripts import parse


def read(text: str) -> list[Cue]:
    return parse(text.encode()).cues


def test_voices() -> None:
    assert read(
        "WEBVTT - a talk\n\n"
        "intro\n00:01.000 --> 00:02.500 align:start\n<v Nora>Good evening,\neveryone.</v>\n\n"
        "01:00:00.000 --> 01:00:03.000\n<v.loud Felix Bean>Hello!\n"
    ) == [
        Cue(1000, 2500, "Nora", "Good evening, everyone."),
        Cue(3_600_000, 3_603_000, "Felix Bean", "Hello!"),
    ]


def test_several_voices_in_one_cue_are_cues_of_the_same_times() -> None:
    cue = "<v Nora>Beans?</v> <v.loud Felix>Peas!\n<i>Only peas!</i></v> (laughter) <v Nora>Oh</v><v Nora> no."

    assert read(f"WEBVTT\n\n00:01.000 --> 00:02.000\n{cue}\n") == [
        Cue(1000, 2000, "Nora", "Beans?"),
        Cue(1000, 2000, "Felix", "Peas! Only peas!"),
        Cue(1000, 2000, "", "(laughter)"),
        Cue(1000, 2000, "Nora", "Oh no."),
    ]


def test_what_is_not_speech_is_dropped() -> None:
    assert read(
        "WEBVTT\nKind: captions\n\nSTYLE\n::cue { color: red }\n\nREGION\nid:left\n\n"
        "NOTE for the editor\nonly\n\n"
        "00:01.000 --> 00:02.000\n<c.red>Some</c> <i>beans</i>, <00:01.500><b>two</b> tins\n\n"
        "NOTE\n00:03.000 to the end\n"
    ) == [Cue(1000, 2000, "", "Some beans, two tins")]


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("1 &lt; 2 &amp;amp; 3&nbsp;&gt; 2", "1 < 2 &amp; 3 > 2"),
        ("&lt;script>alert(1)&lt;/script>", "<script>alert(1)</script>"),
        ("<script>alert(1)</script>", "alert(1)"),
        ("<scr<b>ipt>alert(1)", "<script>alert(1)"),
        ("1 < 2 and 3 > 2, I <3 it", "1 < 2 and 3 > 2, I <3 it"),
        ("<v", "<v"),
        ("<video src=x onerror=alert(1)>Beans", "Beans"),
    ],
)
def test_tags_are_dropped_entities_are_characters_and_the_rest_is_text(written: str, text: str) -> None:
    assert read(f"WEBVTT\n\n00:01.000 --> 00:02.000\n{written}\n") == [Cue(1000, 2000, "", text)]


def test_a_name_may_have_entities() -> None:
    assert read("WEBVTT\n\n00:01.000 --> 00:02.000\n<v A &amp; B>Hm\n") == [Cue(1000, 2000, "A & B", "Hm")]


# As in Zoom's cloud recordings: numbers, and the name in the text (wwsalmon/zoom-transcript-formatter has examples).
ZOOM = """WEBVTT

1
00:02:24.720 --> 00:02:32.850
Nora Bean: And the beans, what are they like?

2
00:02:33.480 --> 00:02:33.990
Felix Oat: They're: good.

3
00:02:35.130 --> 00:02:36.900
Mm.
"""


def test_names_as_zoom_writes_them() -> None:
    assert read(ZOOM.replace("\n", "\r\n")) == [
        Cue(144_720, 152_850, "Nora Bean", "And the beans, what are they like?"),
        Cue(153_480, 153_990, "Felix Oat", "They're: good."),
        Cue(155_130, 156_900, "", "Mm."),
    ]


def test_without_numbers_a_colon_is_only_a_colon() -> None:
    assert read("WEBVTT\n\n00:01.000 --> 00:02.000\nIt is: so\n") == [Cue(1000, 2000, "", "It is: so")]


@pytest.mark.parametrize(
    ("head", "language"),
    [
        ("WEBVTT\nKind: captions\nLanguage: pt-BR\n", "pt-BR"),
        ("WEBVTT\nLanguage: <script>\n", None),
        ("WEBVTT\n", None),
        ("WEBVTT\n\nNOTE\nLanguage: en\n", None),
    ],
)
def test_its_language_is_in_its_head(head: str, language: str | None) -> None:
    assert parse(f"{head}\n00:01.000 --> 00:02.000\nOlá\n".encode()).language == language
