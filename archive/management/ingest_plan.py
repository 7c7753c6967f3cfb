"""Plan what `manage.py ingest` will ingest: facts from the files, overridden by the command's options."""

from dataclasses import dataclass, fields, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from archive import error_messages
from archive.errors import Problem, Refused, make_problem
from archive.formatting import format_count, format_time
from archive.intake.importers import Facts, ImportCandidate
from archive.intake.importers.plain import SOURCE as PLAIN
from archive.intake.importers.sniff import Kind
from archive.intake.importers.tree import stem
from archive.intake.importers.values import text
from archive.intake.request import Request, validate_ended_at, validate_text
from archive.models import Space, User


@dataclass(frozen=True)
class Given:
    """The command's options. Empty values and None in `facts` are options that were not given."""

    host: User
    facts: Facts
    transcript: Path | None = None
    accept_short: bool = False
    skip_bad_transcript: bool = False
    lenient_transcript: bool = False
    transcribe: bool = False


@dataclass(frozen=True)
class Plan:
    """One recording to ingest."""

    candidate: ImportCandidate
    given: Given
    prefix: str = ""  # of names in messages, if several folders or archives are given

    @property
    def file(self) -> str:
        return f"{self.prefix}{self.candidate.recording}"

    @cached_property
    def facts(self) -> Facts:
        """The facts from the files, overridden by options.

        Without a tool's metadata, the file name becomes the title. Names that tools generate make no title.
        """
        from_files = self.candidate.facts
        if not from_files.title and from_files.source == PLAIN:
            from_files = self._add_title(from_files)
        given = {name: value for name, value in self._given() if value not in (None, "", ())}
        facts = replace(from_files, **given)
        if from_files.ended_at in (None, facts.ended_at):
            return facts
        return facts.noting(f"By its files it ended on {format_time(from_files.ended_at)}; --ended-at was used.")

    def _add_title(self, facts: Facts) -> Facts:
        """Use the file's name, unless its archive does not state the encoding of names."""
        if self.candidate.tree.has_certain_name(self.candidate.recording):
            return replace(facts, title=text(stem(self.candidate.recording)))
        return facts.noting(error_messages.render(make_problem("import.name_encoding", file=self.candidate.name)))

    def _given(self) -> list[tuple[str, Any]]:
        return [(field.name, getattr(self.given.facts, field.name)) for field in fields(Facts)]

    def request(self, recording: Path, transcript: Path | None) -> Request:
        """Make the request for `ingest`. Raises Refused if the end of the Space is unknown."""
        facts = self.facts
        if facts.ended_at is None:
            raise Refused("intake.end_unknown")
        return Request(
            recording=recording,
            host=self.given.host,
            ended_at=facts.ended_at,
            title=facts.title,
            transcript=self.given.transcript or transcript,
            language=self._language(),
            audience=facts.audience,
            cohosts=facts.cohosts,
            speakers=facts.speakers,
            listeners_peak=facts.listeners_peak,
            listeners_total=facts.listeners_total,
            accept_short=self.given.accept_short,
            # A transcript that was only found beside the recording must not keep the recording out.
            skip_bad_transcript=self.given.skip_bad_transcript or self.given.transcript is None,
            lenient_transcript=self.given.lenient_transcript,
            transcribe=self.given.transcribe,
        )

    def _language(self) -> str:
        """Return the language of the transcript: from the option, its name, or the Space."""
        by_name = "" if self.given.transcript else self.candidate.language
        return self.given.facts.language or by_name or self.facts.language or "und"

    def problem(self) -> Problem:
        """Return why the recording would be refused, as far as is known without decoding it, or {}."""
        tree, recording = self.candidate.tree, self.candidate.recording
        if tree.kind(recording) == Kind.UNREADABLE:  # no permission, encrypted, damaged
            return tree.faults[recording]
        try:
            request = self.request(Path(self.candidate.recording), None)
            validate_ended_at(request.ended_at)
            validate_text(request)
        except Refused as error:
            return error.problem
        return {}

    def as_json(self) -> dict[str, Any]:
        """Return the output of --dry-run --json."""
        transcript = self.given.transcript or self.candidate.transcript
        files = {"file": self.file, "transcript": str(transcript) if transcript else None}
        return files | self.facts.as_json() | {"problem": error_messages.render(self.problem())}

    def as_text(self) -> str:
        """Return the output of --dry-run: several lines, beginning with the title."""
        facts, transcript = self.facts, self.given.transcript or self.candidate.transcript
        ended = format_time(facts.ended_at) if facts.ended_at else "unknown"
        lines = [
            f"{self.file} ({facts.source})" + (f", with {transcript}" if transcript else ""),
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
            lines.append(f"REFUSED: {error_messages.render(problem)}")
        return "\n  ".join([facts.title or "(without a title)", *lines])
