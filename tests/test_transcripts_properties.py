"""Harmless changes that programs make to transcripts do not change the result, and times never become words."""

import re
from collections.abc import Callable
from itertools import accumulate

from hypothesis import given, settings
from hypothesis import strategies as st

from archive.cues import Cue, timestamp, to_json, to_srt, to_vtt
from archive.intake.transcripts import parse

word = st.text(st.characters(categories=["Ll"], max_codepoint=0x2FF), min_size=1, max_size=8)
# No colons, because words before them could be names. No number alone, because it could be a cue's number.
sentence = st.lists(word | st.sampled_from(["42", "a > b", "--", "->", "&", "<3", "...", "—"]), min_size=1, max_size=5)
text = st.builds(lambda first, rest: " ".join([first, *rest]), word, sentence)
steps = st.lists(st.tuples(st.integers(0, 5000), st.integers(1, 5000), text), min_size=2, max_size=5)


def _cues(made: list[tuple[int, int, str]]) -> list[Cue]:
    starts = accumulate(gap + length for gap, length, _ in made)
    return [Cue(end - length, end, "", words) for end, (_, length, words) in zip(starts, made, strict=True)]


cues = steps.map(_cues)
named = st.lists(
    st.tuples(st.integers(0, 5000), st.integers(1, 5000), text, st.sampled_from(["Ida", "Bo Bean", "SPEAKER_02"])),
    min_size=1,
    max_size=5,
).map(
    lambda made: [
        Cue(cue.start_ms, cue.end_ms, who, cue.text)
        for cue, (*_, who) in zip(_cues([part[:3] for part in made]), made, strict=True)
    ]
)

ENDS = {"LF": "\n", "CRLF": "\r\n", "CR": "\r", "CR CR LF": "\r\r\n"}
NUMBERS: dict[str, Callable[[int], str]] = {
    "right": lambda number: f"{number}\n",
    "from zero": lambda number: f"{number - 1}\n",
    "all the same": lambda _: "1\n",
    "with a hash": lambda number: f"#{number}\n",
    "with a BOM": lambda number: f"\ufeff{number}\n",
    "none": lambda _: "",
}
TIMES: dict[str, Callable[[str], str]] = {
    "as it is": lambda time: time,
    "comma": lambda time: time.replace(".", ","),
    "microseconds": lambda time: f"{time}000",
    "no hours": lambda time: time.removeprefix("00:"),
    "short hours": lambda time: time.removeprefix("0"),
    "shortest fraction": lambda time: re.sub(r"\.?0+$", "", time) if "." in time else time,
}
ARROWS = [" --> ", "-->", " -> ", "\t-->\t", " → "]


def _write(
    cues_in: list[Cue], head: str, number: Callable[[int], str], time: Callable[[str], str], arrow: str, gap: str
) -> str:
    blocks = [
        f"{number(place)}{time(timestamp(cue.start_ms))}{arrow}{time(timestamp(cue.end_ms))}\n{cue.text}\n"
        for place, cue in enumerate(cues_in, 1)
    ]
    return head + gap.join(blocks)


@settings(deadline=None, derandomize=True, max_examples=200)
@given(
    cues,
    st.sampled_from(["", "WEBVTT\n\n", "WEBVTT\n", "\ufeff", "\n\n", "webvtt - a talk\n\n"]),
    st.sampled_from(list(NUMBERS)),
    st.sampled_from(list(TIMES)),
    st.sampled_from(ARROWS),
    st.sampled_from(["", "\n", "\n\n", "  \n"]),
    st.sampled_from(list(ENDS)),
)
def test_mutations_of_subtitles_change_nothing(
    cues_in: list[Cue], head: str, number: str, time: str, arrow: str, gap: str, end: str
) -> None:
    written = _write(cues_in, head, NUMBERS[number], TIMES[time], arrow, gap).replace("\n", ENDS[end])

    assert parse(written.encode()).cues == cues_in


@settings(deadline=None, derandomize=True, max_examples=100)
@given(named, st.sampled_from([to_vtt, to_srt, to_json]), st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]))
def test_named_cues_come_back_in_every_format_that_holds_them(
    cues_in: list[Cue], write: Callable[[list[Cue]], str], encoding: str
) -> None:
    assert parse(write(cues_in).encode(encoding)).cues == cues_in


@settings(deadline=None, derandomize=True, max_examples=50)
@given(named)
def test_other_programs_formats_hold_the_same_cues(cues_in: list[Cue]) -> None:
    tsv = "start\tend\ttext\n" + "".join(f"{cue.start_ms}\t{cue.end_ms}\t{cue.text}\n" for cue in cues_in)
    ass = "[Events]\nFormat: Start, End, Name, Text\n" + "".join(
        f"Dialogue: {timestamp(cue.start_ms)},{timestamp(cue.end_ms)},{cue.speaker},{cue.text}\n" for cue in cues_in
    )
    ttml = '<tt xmlns="http://www.w3.org/ns/ttml"><body><div>' + "".join(
        f'<p begin="{cue.start_ms}ms" end="{cue.end_ms}ms" agent="{cue.speaker.replace(" ", "_")}">'
        f"{cue.text.replace('&', '&amp;').replace('<', '&lt;')}</p>"
        for cue in cues_in
    )

    assert parse(tsv.encode()).cues == [Cue(cue.start_ms, cue.end_ms, "", cue.text) for cue in cues_in]
    assert parse(ass.encode()).cues == cues_in
    assert parse(f"{ttml}</div></body></tt>".encode()).cues == [
        Cue(cue.start_ms, cue.end_ms, cue.speaker.replace(" ", "_"), cue.text) for cue in cues_in
    ]


pieces = st.sampled_from(
    [
        *("WEBVTT\n", "1\n", "#2\n", "\n", "words\n", "Ida: words\n", "- \n", "NOTE\n", "\ufeff", "  \n", "cue-7\n"),
        *("00:00:01,000 --> 00:00:02,000\n", "00:03.5 --> 00:04.25 align:start\n", "00:05-->00:06\n", "\r\n"),
        *("0:00:07.000,0:00:08.000\n", "00:00:09,1 -> 00:00:10,2 and words\n", "x --> y\n", "<br>", "<b>", "{\\an8}"),
    ]
)


@settings(deadline=None, derandomize=True, max_examples=300)
@given(st.lists(pieces, max_size=15))
def test_no_words_are_times(written: list[str]) -> None:
    content = "00:00:00,000 --> 00:00:00,500\nfirst\n\n" + "".join(written)

    parsed = parse(content.encode(), lenient=True)

    assert not [cue for cue in parsed.cues if re.search(r"\d\d(-->| --> | -> |,0:00:)\d?\d", cue.text)]


def sbv(milliseconds: int) -> str:
    seconds, rest = divmod(milliseconds, 1000)
    return f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}.{rest:03}"


@settings(deadline=None, derandomize=True, max_examples=60)
@given(cues, st.sampled_from(list(ENDS)), st.sampled_from(["\n", "\n\n", ""]))
def test_sbv_comes_back(cues_in: list[Cue], end: str, gap: str) -> None:
    blocks = [f"{sbv(cue.start_ms)},{sbv(cue.end_ms)}\n{cue.text}\n" for cue in cues_in]

    assert parse(gap.join(blocks).replace("\n", ENDS[end]).encode()).cues == cues_in


def until_the_next(starts: list[int], texts: list[tuple[str, str]]) -> list[Cue]:
    """In formats without end times, a line ends when the next one begins; the last one lasts 5 s."""
    ends = [*starts[1:], starts[-1] + 5000]
    return [Cue(start, end, who, words) for start, end, (who, words) in zip(starts, ends, texts, strict=True)]


@settings(deadline=None, derandomize=True, max_examples=60)
@given(cues, st.sampled_from([2, 3]), st.sampled_from(["", "[ti:A talk]\n[by:somebody]\n", "[length:02:00]\n\n"]))
def test_lrc_comes_back(cues_in: list[Cue], digits: int, head: str) -> None:
    """Times in hundredths or thousandths of a second, as players write them, also within a line."""
    unit = 10 ** (3 - digits)
    starts = [cue.start_ms // unit * unit + 100 * place for place, cue in enumerate(cues_in)]
    lines = [
        f"[{start // 60_000:02}:{start // 1000 % 60:02}.{start % 1000 // unit:0{digits}}]{cue.text} <00:01.20>\n"
        for start, cue in zip(starts, cues_in, strict=True)
    ]

    assert parse((head + "".join(lines)).encode()).cues == until_the_next(starts, [("", cue.text) for cue in cues_in])


@settings(deadline=None, derandomize=True, max_examples=60)
@given(named, st.sampled_from(["", "Transcribed by https://otter.ai\n"]), st.sampled_from([" ", "  ", "\t"]))
def test_otter_text_comes_back(cues_in: list[Cue], foot: str, gap: str) -> None:
    """Times in whole seconds, with hours only from one hour on."""
    starts = [cue.start_ms // 1000 * 1000 + 1000 * place for place, cue in enumerate(cues_in)]
    blocks = []
    for start, cue in zip(starts, cues_in, strict=True):
        seconds = start // 1000
        hours = f"{seconds // 3600}:{seconds // 60 % 60:02}" if seconds >= 3600 else f"{seconds // 60}"
        blocks.append(f"{cue.speaker}{gap}{hours}:{seconds % 60:02}\n{cue.text}\n\n")

    texts = [(cue.speaker, cue.text) for cue in cues_in]
    assert parse(("".join(blocks) + foot).encode()).cues == until_the_next(starts, texts)
