"""The formats in which transcripts can be downloaded."""

import json

from archive.cues import Cue, dump, load, plain, to_json, to_srt, to_text, to_vtt

TALK = [
    Cue(0, 1500, "Nora", "Beans & peas <3"),
    Cue(3_723_004, 3_725_000, "", "Who said that?"),
]


def test_webvtt() -> None:
    assert to_vtt(TALK) == (
        "WEBVTT\n"
        "\n"
        "00:00:00.000 --> 00:00:01.500\n"
        "<v Nora>Beans &amp; peas &lt;3\n"
        "\n"
        "01:02:03.004 --> 01:02:05.000\n"
        "Who said that?\n"
    )


def test_srt() -> None:
    assert to_srt(TALK) == (
        "1\n00:00:00,000 --> 00:00:01,500\nNora: Beans & peas <3\n\n2\n01:02:03,004 --> 01:02:05,000\nWho said that?\n"
    )


def test_text() -> None:
    assert to_text(TALK) == "[00:00:00] Nora: Beans & peas <3\n[01:02:03] Who said that?\n"


def test_text_after_a_hundred_hours() -> None:
    assert to_text([Cue(360_005_999, 360_007_000, "", "Still here")]) == "[100:00:05] Still here\n"


def test_podcasting_json() -> None:
    assert json.loads(to_json(TALK)) == {
        "version": "1.0.0",
        "segments": [
            {"speaker": "Nora", "startTime": 0.0, "endTime": 1.5, "body": "Beans & peas <3"},
            {"startTime": 3723.004, "endTime": 3725.0, "body": "Who said that?"},
        ],
    }


def test_rows_of_the_database() -> None:
    assert dump(TALK[:1]) == [{"start_ms": 0, "end_ms": 1500, "speaker": "Nora", "text": "Beans & peas <3"}]
    assert load(dump(TALK)) == TALK


def test_markup_in_what_was_said_stays_text_everywhere() -> None:
    original = [Cue(0, 1000, "<b>Eve</b>", "<script>alert(1)</script> &lt;")]

    assert "<script>" not in to_vtt(original)
    assert "<b>" not in to_vtt(original)
    assert to_srt(original).endswith("\n<b>Eve</b>: <script>alert(1)</script> &amp;lt;\n")


def test_plain_text_is_one_line_that_any_file_and_any_database_can_hold() -> None:
    text = " Beans\n\n\u2028and\x00 \x1b[31mpeas\x7f \ud800 🌱\t"

    assert plain(text) == "Beans and [31mpeas \ufffd 🌱"
