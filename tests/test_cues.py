"""The forms in which people get a transcript, and that what goes out comes back in."""

import json
import tempfile
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from archive.cues import Cue, dump, load, to_json, to_srt, to_text, to_vtt
from archive.intake.transcripts import parse

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
    said = [Cue(0, 1000, "<b>Eve</b>", "<script>alert(1)</script> &lt;")]

    assert "<script>" not in to_vtt(said)
    assert "<b>" not in to_vtt(said)
    assert to_srt(said).endswith("\n<b>Eve</b>: <script>alert(1)</script> &lt;\n")


def through(text: str, ending: str) -> list[Cue]:
    with tempfile.NamedTemporaryFile(suffix=ending) as file:
        path = Path(file.name)
        path.write_bytes(text.encode())
        return parse(path)


# What people say, white space normalised as it is at intake.
awkward = st.sampled_from(
    [
        *("-->", "--", "<", ">", "&", "&lt;", "&amp;lt;", "&nbsp;", "&notit;", "<v Eve>", "</v>", "Nora:", "1"),
        *("NOTE", "STYLE", "WEBVTT", "00:00:01.000 --> 00:00:02.000", "X-TIMESTAMP-MAP=LOCAL:00:00:00.000"),
        *("🌱", "\u2028", "\x85", "\ufeff", "\u200b"),
    ]
)
words = st.lists(awkward | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00")), max_size=6)
spoken = words.map(lambda parts: " ".join(" ".join(parts).split()))
texts = spoken.filter(bool)
spans = st.tuples(st.integers(0, 90_000_000), st.integers(1, 600_000))


def cues(text: st.SearchStrategy[str], speaker: st.SearchStrategy[str]) -> st.SearchStrategy[list[Cue]]:
    cue = st.builds(lambda span, who, what: Cue(span[0], sum(span), who, what), spans, speaker, text)
    return st.lists(cue, min_size=1, max_size=5).map(lambda made: sorted(made, key=lambda c: (c.start_ms, c.end_ms)))


@settings(deadline=None)
@given(cues(texts, spoken.filter(lambda name: len(name) <= 100)))
@example([Cue(0, 1, "a > b", "-->")])
@example([Cue(0, 1, "Eve--", "Hm?")])
@example([Cue(0, 1, "", "NOTE to self")])
@example([Cue(0, 1, "", "&amp;lt;b&amp;gt;")])
@example([Cue(0, 1, "Nora: & Felix", "00:00:01.000 --> 00:00:02.000")])
@example([Cue(0, 1, "", "<v Eve>I am Nora")])
def test_webvtt_comes_back_as_it_went(said: list[Cue]) -> None:
    assert through(to_vtt(said), ".vtt") == said


# SRT has no escapes: angle brackets and arrows can't be told from its own, nor "It is: so" from a speaker.
plain = texts.filter(lambda text: not set(text) & set("<>:"))
names = st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=60)


@settings(deadline=None)
@given(cues(plain, names))
@example([Cue(0, 1, "1", "2026"), Cue(0, 2, "2", "3 & 4 &amp; 5")])
def test_srt_comes_back_as_it_went(said: list[Cue]) -> None:
    assert through(to_srt(said), ".srt") == said


@pytest.mark.parametrize("text", ["x --> y", "00:00:01,000 --> 00:00:02,000", "7"])
def test_srt_is_whole_whatever_was_said(text: str) -> None:
    said = [Cue(0, 1000, "", text), Cue(2000, 3000, "", "and then")]

    assert through(to_srt(said), ".srt")[-1].text.endswith("and then")
