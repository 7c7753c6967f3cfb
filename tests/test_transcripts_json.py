"""Import Podcasting 2.0 JSON: segments, missing ends, single words, and invalid times."""

import json
from typing import Any

import pytest

from archive.cues import Cue
from archive.errors import Unreadable
from archive.intake.transcripts import Parsed, parse
from tests.support.errors import raises_error


def read(*segments: Any, **more: Any) -> Parsed:
    return parse(json.dumps({"version": "1.0.0", "segments": segments, **more}).encode(), "words.json")


def test_segments() -> None:
    parsed = read(
        {"speaker": "Nora", "startTime": 0.5, "endTime": 0.75, "body": "Good\n evening"},
        {"startTime": 1, "endTime": 2.0004, "body": "<b>Hello</b> &lt;"},
    )

    assert parsed == Parsed([Cue(500, 750, "Nora", "Good evening"), Cue(1000, 2000, "", "<b>Hello</b> &lt;")], [], None)


def test_a_segment_without_an_end_lasts_until_the_next() -> None:
    assert read(
        {"startTime": 1, "body": "a"},
        {"startTime": 3, "endTime": None, "body": "b"},
        {"startTime": 4, "endTime": 4.5, "body": "c"},
        {"startTime": 6, "body": "d"},
    ).cues == [Cue(1000, 3000, "", "a"), Cue(3000, 4000, "", "b"), Cue(4000, 4500, "", "c"), Cue(6000, 11_000, "", "d")]


@pytest.mark.parametrize(("tag", "language"), [("de", "de"), ("pt-BR", "pt-BR"), ("<b>", None), (7, None)])
def test_its_language(tag: object, language: str | None) -> None:
    assert read({"startTime": 0, "endTime": 1, "body": "a"}, language=tag).language == language


def word(number: int, speaker: str, body: str) -> dict[str, Any]:
    return {"speaker": speaker, "startTime": number / 2, "endTime": number / 2 + 0.25, "body": body}


def test_single_words_are_joined_into_lines() -> None:
    spoken = ["I", "am", "your", "father.", "No", "that", "is", "not", "true"] + ["oh"] * 15
    segments = [word(number, "Darth" if number < 4 else "Luke", body) for number, body in enumerate(spoken)]

    parsed = read(*segments)

    assert parsed.cues == [
        Cue(0, 1750, "Darth", "I am your father."),
        Cue(2000, 8750, "Luke", "No that is not true" + " oh" * 9),
        Cue(9000, 11_750, "Luke", "oh oh oh oh oh oh"),
    ]
    assert parsed.notes == ["Its 24 single words were joined into 3 lines."]


def test_a_pause_begins_a_line() -> None:
    segments = [word(number, "", "oh") for number in range(20)] + [word(22, "", "Yes")]

    assert read(*segments).cues[-1] == Cue(11_000, 11_250, "", "Yes")


def test_short_answers_are_not_single_words_of_a_sentence() -> None:
    segments = [{"startTime": n, "endTime": n + 1, "body": "Yes"} for n in range(30)]

    assert len(read(*segments).cues) == 30
    assert len(read(*[word(n, "", "Yes") for n in range(19)]).cues) == 19


@pytest.mark.parametrize(
    ("segment", "why"),
    [
        ('{"startTime": NaN, "endTime": 2, "body": "x"}', "its times are not numbers of seconds"),
        ('{"startTime": "soon", "endTime": 2, "body": "x"}', "its times are not numbers of seconds"),
        ('{"startTime": true, "endTime": 2, "body": "x"}', "its times are not numbers of seconds"),
        ('{"startTime": [1], "endTime": {}, "body": "x"}', "its times are not numbers of seconds"),
        ('{"endTime": 2, "body": "x"}', "its times are not numbers of seconds"),
        ('{"startTime": 1e300, "body": "x"}', "its time is beyond 7 days"),
        ('{"startTime": 1, "endTime": 2, "body": 7}', "it has no text"),
        ('"x"', "it is not a segment"),
        ("null", "it is not a segment"),
    ],
)
def test_a_broken_segment_is_named_by_its_number(segment: str, why: str) -> None:
    text = '{"segments": [{"startTime": 0, "endTime": 1, "body": "a"}, ' + segment + "]}"

    with pytest.raises(Unreadable) as refused:
        parse(text.encode(), "words.json")

    assert f"words.json: 1 of its lines can be used, 1 can't: segment 2: {why}." in str(refused.value)
    assert parse(text.encode(), lenient=True).cues == [Cue(0, 1000, "", "a")]


@pytest.mark.parametrize(
    ("times", "why", "start_ms"),
    [
        ('"startTime": 1, "endTime": Infinity', "its times are not numbers of seconds", 1000),
        ('"startTime": 1, "endTime": 1e999', "its times are not numbers of seconds", 1000),
        ('"startTime": 1, "endTime": 1e300', "its time is beyond 7 days", 1000),
        ('"startTime": 1, "endTime": ' + "9" * 4000, "its time is beyond 7 days", 1000),
        ('"startTime": -1e300, "endTime": 2', "it starts before the recording", 0),
        ('"startTime": 3, "endTime": 2', "it ends before it starts", 3000),
    ],
    ids=["infinite", "too large a number", "a year", "4000 digits", "before the recording", "backwards"],
)
def test_a_segment_with_a_wrong_end_is_refused_or_kept_at_its_start(times: str, why: str, start_ms: int) -> None:
    text = '{"segments": [{"startTime": 0, "endTime": 1, "body": "a"}, {' + times + ', "body": "x"}]}'

    with pytest.raises(Unreadable) as refused:
        parse(text.encode(), "words.json")

    assert f"words.json: 1 of its lines can be used, 1 can't: segment 2: {why}." in str(refused.value)
    assert Cue(start_ms, start_ms + 5000, "", "x") in parse(text.encode(), lenient=True).cues


def test_a_segment_without_a_length_gets_the_shortest() -> None:
    parsed = read({"startTime": 2, "endTime": 2, "body": "x"})

    assert parsed.cues == [Cue(2000, 2100, "", "x")]
    assert [note["code"] for note in parsed.problems] == ["transcript.no_length"]


def test_a_segment_without_words_is_left_out_with_a_note() -> None:
    parsed = read({"startTime": 1, "endTime": 2}, {"startTime": 2, "endTime": 3, "body": "x"})

    assert parsed.cues == [Cue(2000, 3000, "", "x")]
    assert [note["code"] for note in parsed.problems] == ["transcript.no_words"]


def test_halves_of_characters_are_replaced() -> None:
    spoken = '"speaker": "N\\udfffa", "body": "\\ud83c\\udf31 \\ud800 \\u0000b"'
    text = '{"segments": [{"startTime": 0, "endTime": 1, ' + spoken + "}]}"

    assert parse(text.encode()).cues == [Cue(0, 1000, "N\ufffda", "🌱 \ufffd b")]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("{", "transcript.json_broken"),
        ('{"segments":\n [}', "transcript.json_broken"),
        ('{"a": 1}\n{"a": 1}\n', "transcript.json_broken"),
        (
            '{"words": []}',
            "transcript.not_podcasting",
        ),
        (
            '{"segments": {}}',
            "transcript.not_podcasting",
        ),
    ],
)
def test_other_json_is_refused_in_words(text: str, code: str) -> None:
    with raises_error(Unreadable, code, file="words.json"):
        parse(text.encode(), "words.json")
