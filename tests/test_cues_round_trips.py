"""Exported transcripts can be imported again in every format, with the known losses of each."""

import re
from collections.abc import Callable, Sequence

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from archive.cues import Cue, to_json, to_srt, to_text, to_vtt
from archive.intake.transcripts import parse
from archive.intake.transcripts.introductions import introduces

# Text of lines that `plain` does not change.
awkward = st.sampled_from(
    [
        *("-->", "--", "<", ">", "&", "&lt;", "&amp;lt;", "&nbsp;", "&notit;", "<v Eve>", "</v>", "Nora:", "1"),
        *("NOTE", "STYLE", "WEBVTT", "00:00:01.000 --> 00:00:02.000", "X-TIMESTAMP-MAP=LOCAL:00:00:00.000"),
        *("00:00:01,000 --> 00:00:02,000", "{", "[00:00:01]", '"segments": []', "<3", "a < b > c", "\\"),
        *("🌱", "\u2028", "\x85", "\ufeff", "\u200b", "\ufffe"),
    ]
)
words = st.lists(awkward | st.text(st.characters(exclude_categories=["Cs", "Cc"])), max_size=6)
spoken = words.map(lambda parts: " ".join(" ".join(parts).split()))
texts = spoken.filter(bool)
people = spoken.filter(lambda name: len(name) <= 100)
spans = st.tuples(st.integers(0, 90_000_000), st.integers(1, 600_000))


def cues(text: st.SearchStrategy[str], speaker: st.SearchStrategy[str]) -> st.SearchStrategy[list[Cue]]:
    cue = st.builds(lambda span, who, what: Cue(span[0], sum(span), who, what), spans, speaker, text)
    return st.lists(cue, min_size=1, max_size=5).map(lambda made: sorted(made, key=lambda c: (c.start_ms, c.end_ms)))


@settings(deadline=None)
@given(cues(texts, people))
@example([Cue(0, 1, "a > b", "-->")])
@example([Cue(0, 1, "Eve--", "Hm?")])
@example([Cue(0, 1, "", "NOTE to self")])
@example([Cue(0, 1, "", "&amp;lt;b&amp;gt;")])
@example([Cue(0, 1, "Nora: & Felix", "00:00:01.000 --> 00:00:02.000")])
@example([Cue(0, 1, "", "<v Eve>I am Nora")])
@example([Cue(0, 1, ".loud Eve", "x"), Cue(0, 1, "", "Nora: y")])
def test_webvtt_comes_back_as_it_went(cues_in: list[Cue]) -> None:
    assert parse(to_vtt(cues_in).encode()).cues == cues_in


@settings(deadline=None)
@given(cues(texts, people))
@example([Cue(1, 3, "{}", '"},{"')])
def test_podcasting_json_comes_back_as_it_went(cues_in: list[Cue]) -> None:
    assert parse(to_json(cues_in).encode()).cues == cues_in


# Tags in SRT are ambiguous with text that looks like tags; arrows, times and "<3" survive.
untagged = texts.filter(lambda text: not re.search(r"<[/a-zA-Z0-9]|\{\\", text))
# "Problem: ..." introduces a sentence; such words are not taken for names
# (archive/intake/transcripts/introductions.py).
names = st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=60).filter(
    lambda name: not introduces(name, 1, {name}, 1)
)
# Without a speaker before it, "It is: so" looks like one.
unnamed = st.just("")


@settings(deadline=None)
@given(cues(untagged, names) | cues(untagged.filter(lambda text: ":" not in text), unnamed))
@example([Cue(0, 1, "1", "2026"), Cue(0, 2, "2", "3 & 4 &amp; 5")])
@example([Cue(0, 1, "Nora", "x --> y"), Cue(0, 2, "Ida", "00:00:01,000 --> 00:00:02,000")])
@example([Cue(0, 1, "Nora", "I <3 beans > peas"), Cue(0, 2, "Ida", "It is: so")])
@example([Cue(0, 1, "", "00:00:01,000 --> 00:00:02,000"), Cue(0, 2, "", "7"), Cue(0, 3, "", "-->")])
@example([Cue(0, 1, "Nora", "No!"), Cue(1, 2, "Nora", "No!"), Cue(2, 3, "Nora", "No!")])
def test_srt_comes_back_as_it_went(cues_in: list[Cue]) -> None:
    assert parse(to_srt(cues_in).encode()).cues == cues_in


@settings(deadline=None)
@given(cues(texts, names) | cues(texts.filter(lambda text: ":" not in text), unnamed))
@example([Cue(0, 1, "Nora", "[00:00:09] <b>It</b> is: so --> {\\an8}"), Cue(999, 2000, "Ida", "Yes")])
def test_text_comes_back_but_for_its_ends_and_milliseconds(cues_in: list[Cue]) -> None:
    back = parse(to_text(cues_in).encode()).cues

    assert [(cue.start_ms, cue.speaker, cue.text) for cue in back] == [
        (cue.start_ms // 1000 * 1000, cue.speaker, cue.text) for cue in cues_in
    ]


def test_srt_does_not_hold_what_looks_like_its_tags() -> None:
    original = [Cue(0, 1000, "", "<b>Beans</b> {\\an8}and <script>alert(1)</script>")]

    assert parse(to_srt(original).encode()).cues == [Cue(0, 1000, "", "Beans and alert(1)")]


@pytest.mark.parametrize("write", [to_srt, to_text])
def test_a_name_among_many_lines_without_one_stays_in_the_text(write: Callable[[Sequence[Cue]], str]) -> None:
    original = [Cue(0, 1000, "Nora", "Hello"), Cue(1000, 2000, "", "Hm"), Cue(2000, 7000, "", "Yes")]

    assert parse(write(original).encode()).cues[0] == Cue(0, 1000, "", "Nora: Hello")


@pytest.mark.parametrize("write", [to_srt, to_text])
def test_a_colon_after_words_that_are_no_name_stays_a_colon(write: Callable[[Sequence[Cue]], str]) -> None:
    original = [Cue(0, 1000, "Nora", "Hello"), Cue(1000, 6000, "", "It is: so")]

    assert parse(write(original).encode()).cues == original


@pytest.mark.parametrize("write", [to_srt, to_text])
def test_a_single_word_with_a_colon_becomes_a_name_where_most_lines_have_one(
    write: Callable[[Sequence[Cue]], str],
) -> None:
    original = [Cue(0, 1000, "Nora", "Hello"), Cue(1000, 6000, "", "Garden: peas")]

    assert parse(write(original).encode()).cues[1] == Cue(1000, 6000, "Garden", "peas")
