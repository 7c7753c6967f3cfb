"""Report what happened to every file given to `manage.py ingest`, as text and as JSON."""

from dataclasses import dataclass, field, replace
from pathlib import PurePath
from typing import Any

from archive import error_messages
from archive.errors import Problem, make_problem
from archive.formatting import format_number
from archive.intake.importers import Companion, LeftOut, Survey


@dataclass
class IngestReport:
    """Each file is in one list: recordings in `spaces` or `rejected`, other files in the other two."""

    spaces: list[dict[str, Any]] = field(default_factory=list)
    rejected: list[dict[str, str]] = field(default_factory=list)
    companions: list[Companion] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)

    def add(self, survey: Survey, prefix: str) -> None:
        """Add the files of a survey that are no recordings. `prefix` goes before each name."""
        self.companions += [
            replace(one, file=f"{prefix}{one.file}", recording=f"{prefix}{one.recording}") for one in survey.companions
        ]
        self.left_out += [replace(one, file=f"{prefix}{one.file}".replace("/./", "/")) for one in survey.left_out]

    def reject(self, file: str, problem: Problem) -> None:
        sentence = error_messages.render(problem)
        self.rejected.append({"file": file, "code": problem["code"], "problem": sentence})

    def leave_transcript_out(self, recording: str, why: Problem) -> None:
        """Move a recording's transcript, which was not stored, from the companions to the files left out."""
        for one in self.companions:
            if one.recording == recording and one.kind == "transcript":
                self.left_out.append(LeftOut(one.file, why))
        self.companions = [one for one in self.companions if one.recording != recording or one.kind != "transcript"]

    def replace_transcript(self, file: str, recording: str, given: str) -> None:
        """Replace the transcript beside the recording by the one that an option named."""
        self.companions = [one for one in self.companions if one.kind != "transcript"]
        names = {given, PurePath(given).name}  # as typed, and as found beside the recording
        self.left_out = [one for one in self.left_out if one.file not in names]
        if file and file not in names:
            problem = make_problem("import.other_transcript", recording=recording, chosen=given)
            self.left_out.append(LeftOut(file, problem))
        self.companions.append(Companion(given, recording, "transcript"))

    def as_json(self) -> dict[str, Any]:
        return {"spaces": self.spaces, "rejected": self.rejected} | self.rest_as_json()

    def rest_as_json(self) -> dict[str, Any]:
        return {
            "companions": [one.as_json() for one in self.companions],
            "left_out": [one.as_json() for one in self.left_out],
        }

    def lines(self) -> list[str]:
        """Return a line of text for each file that is not a recording."""
        return [_companion_line(one) for one in self.companions] + [_left_out_line(one) for one in self.left_out]


def _companion_line(companion: Companion) -> str:
    language = f" ({companion.language})" if companion.language else ""
    return f"{companion.file}: {companion.kind} of {companion.recording}{language}."


def _left_out_line(left_out: LeftOut) -> str:
    files = f" ({format_number(left_out.count)} files)" if left_out.count > 1 else ""
    return f"{left_out.file}{files}: left out. {left_out.sentence}"
