"""Small transcripts as common tools write them, with the result that a person would expect."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from archive import search
from archive.cues import dump
from archive.intake.transcripts import Parsed, parse
from archive.models import Space, User
from tests.support.factory import make_row
from tests.support.transcripts import make_transcript

CASES = Path(__file__).parent / "corpus" / "transcripts" / "cases"
MINUTE = 60_000  # milliseconds of the recording with which they are uploaded

Line = tuple[int, int, str, str]
EXPECTED: dict[str, list[Line]] = {
    "srt_bom_in_middle.srt": [(1000, 3000, "", "first words"), (4000, 6000, "", "second words")],
    "srt_no_index_no_blank.srt": [
        (1000, 3000, "", "first words"),
        (4000, 6000, "", "second words"),
        (7000, 8000, "", "third words"),
    ],
    "srt_2digit_ms.srt": [(27_460, 29_830, "", "half past"), (30_500, 31_900, "", "one digit")],
    "srt_6digit_us.srt": [(1250, 3500, "", "microseconds")],
    "vtt_no_blank_lines_numbers.vtt": [
        (0, 2700, "", "first words"),
        (2740, 3760, "", "second words"),
        (3780, 4900, "", "third words"),
    ],
    "srt_name_on_change_only.srt": [
        (638, 1198, "Speaker 1", "Good morning."),
        (1279, 2880, "Speaker 1", "Please sit down."),
        (7444, 10_327, "Speaker 1", "At the start of the year we agreed"),
        (10_444, 12_327, "Speaker 2", "that beans come first,"),
        (12_444, 14_327, "Speaker 2", "then peas."),
    ],
    "vtt_names_without_ids.vtt": [(1000, 3000, "Ida Bean", "Welcome."), (3500, 6000, "Bo", "Thanks.")],
    "srt_two_speakers_one_cue.srt": [
        (1000, 3000, "Ida", "Shall we?"),
        (1000, 3000, "Bo", "Yes, we shall."),
        (4000, 6000, "Ida", "Good."),
    ],
    "srt_dialog_dashes.srt": [
        (1000, 3000, "Ida", "Shall we?"),
        (1000, 3000, "Bo", "Yes."),
        (4000, 6000, "Ida", "Good."),
    ],
    "vtt_br_glues_words.vtt": [(1000, 3000, "", "first line second line third")],
    "vtt_two_spans_glued.vtt": [
        (1000, 3000, "Ida: the host", "Hello"),
        (4000, 5000, "Bo", "Hi again"),
        (6000, 7000, "Cy", "capital tag"),
    ],
    "whisper.json": [(0, 2500, "", "Welcome to the room."), (2500, 4000, "", "Thanks.")],
    "whisperx.json": [(100, 2000, "SPEAKER_00", "Welcome all.")],
    "vtt_youtube_rolling.vtt": [
        (30, 3720, "", "so welcome to the garden"),
        (3730, 6000, "", "today we plant beans"),
        (6010, 9000, "", "and water them"),
    ],
    "vtt_youtube_empty_first_line.vtt": [(799, 2869, "", "hi everyone today"), (2879, 4070, "", "modeling a")],
    "vtt_zero_length_cue.vtt": [
        (1000, 3000, "", "First."),
        (3000, 3100, "", "zero-length words of whisper"),
        (3000, 5000, "", "Third."),
    ],
    "srt_entities.srt": [(1000, 3000, "", "Q&A with Bo 'n' Ida"), (4000, 6000, "", "I'm here <laughs>")],
    "json_cjk_words.json": [
        (0, 6700, "", "今日はとても良い天気ですね皆さんお"),
        (6800, 8700, "", "元気ですか"),
    ],
    "vtt_of_another_recording_2h.vtt": [(7_201_000, 7_203_000, "", "words of another recording")],
    "x_captions_clock_before_start.jsonl": [
        (0, 100, "Ida", "said before by the clock"),
        (9230, 10_000, "Bo", "second line"),
        (49_370, 50_000, "Ida", "last line"),
    ],
    "vtt_hls_segments_joined.vtt": [(1000, 3000, "", "First."), (7000, 8000, "", "Second.")],
    "angle_words_lost.srt": [
        (1000, 3000, "", "I <laughs> said <email ida@example.org> or <https://example.org/x> ok"),
        (4000, 6000, "", "if a<b and c>d"),
    ],
}
NOTES = {
    "srt_name_on_change_only.srt": ["transcript.speakers_carried"],
    "vtt_youtube_rolling.vtt": ["transcript.rolling"],
    "vtt_youtube_empty_first_line.vtt": ["transcript.rolling"],
    "vtt_zero_length_cue.vtt": ["transcript.no_length"],
    "json_cjk_words.json": ["transcript.words_joined"],
    "vtt_of_another_recording_2h.vtt": ["transcript.past_end"],
    "x_captions_clock_before_start.jsonl": ["transcript.before_recording"],
}


def read(name: str) -> Parsed:
    return parse(CASES / name, began=datetime(2026, 11, 27, 9, 59, tzinfo=UTC), duration_ms=MINUTE)


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_a_case(name: str) -> None:
    parsed = read(name)

    assert [(cue.start_ms, cue.end_ms, cue.speaker, cue.text) for cue in parsed.cues] == EXPECTED[name]
    assert [problem["code"] for problem in parsed.problems] == NOTES.get(name, [])


def test_every_case_has_an_expectation() -> None:
    assert {file.name for file in CASES.iterdir()} == set(EXPECTED)


@pytest.mark.usefixtures("db")
def test_search_finds_words_of_a_language_without_blanks(alice: User) -> None:
    space = make_row(alice)
    make_transcript(space, ["x"], language="ja")
    space.transcripts.update(cues=dump(read("json_cjk_words.json").cues))
    search.index_transcript(space.transcripts.get())

    (hit,) = search.search_lines(Space.objects.all(), "今日").spaces

    assert [piece.text for piece in hit.lines[0].pieces if piece.found] == ["今日"]


@pytest.mark.parametrize("mark", ["utf-16-le", "utf-16-be"])
def test_utf16_without_a_byte_order_mark_is_recognized(mark: str) -> None:
    text = "WEBVTT\n\n00:01.000 --> 00:03.000\n今日は Grüße\n"

    assert [cue.text for cue in parse(text.encode(mark)).cues] == ["今日は Grüße"]


@pytest.mark.parametrize(
    ("times", "notes"),
    [
        ("00:59.000 --> 01:09.000", []),
        ("00:59.000 --> 01:11.000", ["transcript.past_end"]),
        ("01:00.000 --> 01:01.000", ["transcript.past_end"]),
    ],
)
def test_lines_past_the_end_of_the_recording_get_a_note(times: str, notes: list[str]) -> None:
    parsed = parse(f"WEBVTT\n\n{times}\nwords\n".encode(), duration_ms=MINUTE)

    assert [problem["code"] for problem in parsed.problems] == notes
