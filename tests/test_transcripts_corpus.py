"""Every transcript of the corpus gives the expected cues, notes or refusal.

A case of tests/corpus/transcripts/*.txt is "=== name", perhaps "option: lenient", the file, "---", and what is
expected: one line "start end [speaker] text" for each cue (milliseconds), "note: code", "language: tag", or "refused:
code". In a file, {BOM}, {CR} and {TAB} stand for invisible characters.
"""

from pathlib import Path
from typing import NamedTuple

from archive.errors import Unreadable
from archive.intake.transcripts import parse

FOLDER = Path(__file__).parent / "corpus" / "transcripts"
SIGNS = {"{BOM}": "\ufeff", "{CR}": "\r", "{TAB}": "\t"}


class Case(NamedTuple):
    name: str
    text: str
    is_lenient: bool
    expected: list[str]


def read_cases(file: Path) -> list[Case]:
    cases = []
    for part in file.read_text().removeprefix("=== ").split("\n=== "):
        name, _, rest = part.partition("\n")
        text, _, expected = rest.rpartition("\n---\n")
        is_lenient = text.startswith("option: lenient\n")
        text = text.removeprefix("option: lenient\n")
        for sign, character in SIGNS.items():
            text = text.replace(sign, character)
        cases.append(Case(name, text, is_lenient, list(filter(None, expected.split("\n")))))
    return cases


CASES = [case for file in sorted(FOLDER.glob("*.txt")) for case in read_cases(file)]


def outcome(data: bytes, *, is_lenient: bool) -> list[str]:
    try:
        parsed = parse(data, lenient=is_lenient)
    except Unreadable as error:
        return [f"refused: {error.code}"]
    cues = [f"{cue.start_ms} {cue.end_ms} [{cue.speaker}] {cue.text}" for cue in parsed.cues]
    notes = [f"note: {problem['code']}" for problem in parsed.problems]
    return [*cues, *notes, *([f"language: {parsed.language}"] if parsed.language else [])]


def test_each_transcript_is_read_as_written_beside_it() -> None:
    outcomes = {case.name: outcome(case.text.encode(), is_lenient=case.is_lenient) for case in CASES}

    assert {case.name: outcomes[case.name] for case in CASES if outcomes[case.name] != case.expected} == {}


def test_the_corpus_is_large_and_its_names_are_unique() -> None:
    assert len(CASES) >= 150
    assert len({case.name for case in CASES}) == len(CASES)
