"""What `ingest` is about to take in: what was found, and over it what was given on the command line."""

from dataclasses import dataclass, fields, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from archive import messages
from archive.errors import Problem, Refused
from archive.formatting import format_count, format_time
from archive.intake.importers import Facts, ImportCandidate
from archive.intake.importers.plain import SOURCE as PLAIN
from archive.intake.importers.tree import stem
from archive.intake.importers.values import text
from archive.intake.request import Request, validate_ended_at, validate_text
from archive.models import Space, User


@dataclass(frozen=True)
class Given:
    """The options. What is empty or None in `facts` was not given."""

    host: User
    facts: Facts
    transcript: Path | None = None
    accept_short: bool = False
    skip_bad_transcript: bool = False
    lenient_transcript: bool = False
    transcribe: bool = False


@dataclass(frozen=True)
class Plan:
    """One recording that would be taken in."""

    found: ImportCandidate
    given: Given

    @cached_property
    def facts(self) -> Facts:
        """Given before found. What no tool described was named by somebody; the names that tools give say nothing."""
        found = self.found.facts
        if not found.title and found.source == PLAIN:
            found = replace(found, title=text(stem(self.found.recording)))
        given = {name: value for name, value in self._given() if value not in (None, "", ())}
        facts = replace(found, **given)
        if found.ended_at in (None, facts.ended_at):
            return facts
        return facts.noting(f"The files say that it ended on {format_time(found.ended_at)}; --ended-at was taken.")

    def _given(self) -> list[tuple[str, Any]]:
        return [(field.name, getattr(self.given.facts, field.name)) for field in fields(Facts)]

    def request(self, recording: Path, transcript: Path | None) -> Request:
        """Raises Refused when nobody knows when the Space ended."""
        facts = self.facts
        if facts.ended_at is None:
            raise Refused("intake.end_unknown")
        return Request(
            recording=recording,
            host=self.given.host,
            ended_at=facts.ended_at,
            title=facts.title,
            transcript=self.given.transcript or transcript,
            language=facts.language or "und",
            audience=facts.audience,
            cohosts=facts.cohosts,
            speakers=facts.speakers,
            listeners_peak=facts.listeners_peak,
            listeners_total=facts.listeners_total,
            accept_short=self.given.accept_short,
            skip_bad_transcript=self.given.skip_bad_transcript,
            lenient_transcript=self.given.lenient_transcript,
            transcribe=self.given.transcribe,
        )

    def problem(self) -> Problem:
        """Why it would not be taken in, as far as that shows without decoding it; or {}."""
        try:
            request = self.request(Path(self.found.recording), None)
            validate_ended_at(request.ended_at)
            validate_text(request)
        except Refused as error:
            return error.problem
        return {}

    def as_json(self) -> dict[str, Any]:
        """As --dry-run --json prints it."""
        transcript = self.given.transcript or self.found.transcript
        files = {"file": self.found.recording, "transcript": str(transcript) if transcript else None}
        return files | self.facts.as_json() | {"problem": messages.render(self.problem())}

    def as_text(self) -> str:
        """As --dry-run prints it: some lines, the first of them its title."""
        facts, transcript = self.facts, self.given.transcript or self.found.transcript
        ended = format_time(facts.ended_at) if facts.ended_at else "not known when"
        lines = [
            f"{self.found.recording} ({facts.source})" + (f", with {transcript}" if transcript else ""),
            f"ended: {ended}",
            *([f"could talk: {Space.Audience(facts.audience).label}"] if facts.audience else []),
            *([f"co-hosts: {', '.join(facts.cohosts)}"] if facts.cohosts else []),
            *([f"speakers: {', '.join(facts.speakers)}"] if facts.speakers else []),
            *(
                [f"{format_count(facts.listeners_peak, 'listener')} at once"]
                if facts.listeners_peak is not None
                else []
            ),
            *([f"{format_count(facts.listeners_total, 'listener')}"] if facts.listeners_total is not None else []),
            *(f"note: {note}" for note in facts.notes),
        ]
        if problem := self.problem():
            lines.append(f"NOT TAKEN IN: {messages.render(problem)}")
        return "\n  ".join([facts.title or "(without a title)", *lines])
