from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from archive.errors import Problem, Refused, Unreadable, make_problem
from archive.formatting import format_count
from archive.intake.importers import SOURCES, Facts, Survey, is_several, survey, survey_files
from archive.intake.ingest import Outcome, ingest
from archive.intake.request import validate_ended_at
from archive.management.base import Command as Base
from archive.management.base import find_user
from archive.management.ingest_plan import Given, Plan
from archive.management.ingest_report import IngestReport
from archive.management.progress import ProgressBar
from archive.models.space import MAX_COHOSTS, MAX_SPEAKERS

EXISTS = "This recording is in the archive already: nothing was added."


class Command(Base):
    help = (
        "Ingest recordings with their transcripts: files, folders or ZIP archives. Prints the id of each Space. "
        "Recordings are m4a, mp3, ogg or opus, wav, flac or raw AAC. Metadata is read as these tools write it: "
        f"{', '.join(SOURCES)}."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "files", nargs="+", metavar="FILE", type=Path, help="a recording, a folder, or a ZIP archive"
        )
        parser.add_argument("--host", required=True, metavar="NAME", help="the Space's host")
        parser.add_argument("--title", default="", help="default: from the files, or the file's name")
        parser.add_argument("--ended-at", metavar="ISO", help="when the Space ended, with zone: 2026-11-22T14:05:00Z")
        parser.add_argument("--transcript", type=Path, metavar="FILE", help="WebVTT, SRT, captions as JSONL ...")
        parser.add_argument("--language", default="", help="of the transcript: en, pt-BR ...")
        parser.add_argument(
            "--audience", choices=["everyone", "followed", "invited"], default="", help="who could speak"
        )
        parser.add_argument("--cohost", action="append", default=[], metavar="NAME", help=f"up to {MAX_COHOSTS}")
        parser.add_argument("--speaker", action="append", default=[], metavar="NAME", help=f"up to {MAX_SPEAKERS}")
        parser.add_argument("--listeners-peak", type=int, metavar="N", help="most listeners at a time")
        parser.add_argument("--listeners-total", type=int, metavar="N", help="listeners in all")
        parser.add_argument("--accept-short", action="store_true", help="keep a recording whose end is missing")
        parser.add_argument(
            "--skip-bad-transcript", action="store_true", help="ingest the recording if the transcript is invalid"
        )
        parser.add_argument("--lenient-transcript", action="store_true", help="skip the broken lines of a transcript")
        parser.add_argument("--transcribe", action="store_true", help="create an automatic transcript if there is none")
        parser.add_argument("--dry-run", action="store_true", help="show what would be ingested, and ingest nothing")

    def run(self, **options: Any) -> None:
        files: list[Path] = options["files"]
        _check_files([*files, *([options["transcript"]] if options["transcript"] else [])], files)
        given, as_json = _read_options(options), options["json"]
        report = IngestReport()
        plans = _make_plans(_survey(files, given.facts.language, report), given, report)
        if options["dry_run"]:
            self._show(plans, report, as_json=as_json)
        elif len(files) == 1 and not is_several(files[0]):
            self._ingest_one(plans[0], report, as_json=as_json)
        else:
            self._ingest_all(plans, report, as_json=as_json)

    def _show(self, plans: list[Plan], report: IngestReport, *, as_json: bool) -> None:
        text = "\n".join([*(plan.as_text() for plan in plans), *report.lines()])
        document = {"spaces": [plan.as_json() for plan in plans], "rejected": report.rejected} | report.rest_as_json()
        self.print_result(text, document, as_json=as_json)
        refused = sum(bool(plan.problem()) for plan in plans)
        self._check_places(plans, report)
        if refused or report.rejected:
            count = format_count(len(plans) + len(report.rejected), "recording")
            raise CommandError(f"{refused + len(report.rejected)} of {count} would be refused.")

    def _ingest_one(self, plan: Plan, report: IngestReport, *, as_json: bool) -> None:
        for note in plan.facts.notes:
            self.stderr.write(note)
        try:
            facts = self._ingest(plan, report)
        except Refused as error:
            report.reject(plan.file, error.problem)
            if as_json:
                self.print_result("", report.as_json(), as_json=True)
            raise
        if not facts["created"]:
            self.stderr.write(EXISTS)
        self.print_result(facts["id"], facts | report.rest_as_json(), as_json=as_json)
        for line in report.lines():
            self.stderr.write(line)

    def _ingest_all(self, plans: list[Plan], report: IngestReport, *, as_json: bool) -> None:
        """Ingest all recordings. A refused one does not stop the others.

        An outage of the store or the database stops all; the results so far are still printed.
        """
        try:
            for plan in plans:
                self._ingest_next(plan, report, as_json=as_json)
        finally:
            for line in report.lines():
                self.stderr.write(line)
            if as_json:
                self.print_result("", report.as_json(), as_json=True)
        self._check_places(plans, report)
        if report.rejected:
            count = format_count(len(report.spaces) + len(report.rejected), "recording")
            raise CommandError(f"{len(report.rejected)} of {count} were refused: see above.")

    def _ingest_next(self, plan: Plan, report: IngestReport, *, as_json: bool) -> None:
        for note in plan.facts.notes:
            self.stderr.write(_prefix_name(plan, note))
        try:
            facts = self._ingest(plan, report)
        except Refused as error:
            report.reject(plan.file, error.problem)
            self.stderr.write(_prefix_name(plan, f"refused. {error}"))
            return
        report.spaces.append({"file": plan.file} | facts)
        self.stderr.write(f"{plan.file}: {'accepted.' if facts['created'] else EXISTS}")
        if not as_json:
            self.stdout.write(facts["id"])

    def _ingest(self, plan: Plan, report: IngestReport) -> dict[str, Any]:
        if problem := plan.problem():  # refuse before unpacking
            raise Refused.of(problem)
        problems: list[Problem] = []
        with plan.candidate.on_disk(problems) as (recording, transcript), ProgressBar(plan.candidate.name) as bar:
            outcome = ingest(plan.request(recording, transcript), bar.show)
        beside = problems if plan.given.transcript is None else []
        for problem in beside or filter(None, [outcome.transcript_problem]):
            is_known = problem["code"] == "import.transcript_not_added"
            why = problem if is_known else make_problem("import.transcript_broken", reason=problem)
            report.leave_transcript_out(plan.file, why)
        for note in outcome.notes:
            self.stderr.write(note)
        return _facts(outcome)

    def _check_places(self, plans: list[Plan], report: IngestReport) -> None:
        """Raise CommandError if the only folder or archive given has no recording."""
        if not plans and len(report.rejected) == 1:
            raise CommandError(report.rejected[0]["problem"])


def _check_files(everything: Sequence[Path], files: Sequence[Path]) -> None:
    for file in everything:
        if file.is_dir() and file not in files:
            raise CommandError(f"{file}: is a folder, not a file.")
        if not (file.is_file() or file.is_dir()):
            raise CommandError(f"{file}: no such file.")


def _survey(files: Sequence[Path], language: str, report: IngestReport) -> list[tuple[str, Survey]]:
    """Survey each folder and archive, and the other files of one folder together. Returns (prefix of names, survey).

    A folder or archive without a recording, or that can't be read, is rejected, and does not stop the others.
    """
    surveys = []
    single = [file for file in dict.fromkeys(files) if not is_several(file)]
    places: list[Path] = list(dict.fromkeys(file.parent if file in single else file for file in files))
    for place in places:
        members = [] if place in files else [file for file in single if file.parent == place]
        try:
            found = [survey_files(members, language)] if members else []
            found += [survey(place, language)] if place in files else []
        except Unreadable as error:
            report.reject(str(place), error.problem)
            continue
        prefix = f"{place}/" if len(places) > 1 else ""
        for one in found:
            report.add(one, prefix)
            if not one.candidates:
                report.reject(str(place), make_problem("import.no_recording", file=place.name or str(place)))
            surveys.append((prefix, one))
    return surveys


def _make_plans(surveys: Sequence[tuple[str, Survey]], given: Given, report: IngestReport) -> list[Plan]:
    plans = [Plan(candidate, given, prefix) for prefix, one in surveys for candidate in one.candidates]
    if len(plans) > 1 and (given.transcript or given.facts.title):
        raise CommandError("--title and --transcript belong to one recording: give one FILE or omit them.")
    ends = [plan.candidate.name for plan in plans if plan.candidate.facts.ended_at is not None]
    if len(plans) > 1 and given.facts.ended_at is not None and ends:
        raise CommandError(
            f"--ended-at is for recordings whose end is not known, but {ends[0]} has one. Omit the option."
        )
    if plans and given.transcript:
        own = plans[0].candidate.transcript
        report.replace_transcript(f"{plans[0].prefix}{own}" if own else "", plans[0].file, str(given.transcript))
    return plans


def _read_options(options: dict[str, Any]) -> Given:
    facts = Facts(
        title=options["title"],
        ended_at=validate_ended_at(_parse_time(options["ended_at"])) if options["ended_at"] else None,
        audience=options["audience"],
        cohosts=tuple(options["cohost"]),
        speakers=tuple(options["speaker"]),
        listeners_peak=options["listeners_peak"],
        listeners_total=options["listeners_total"],
        language=options["language"],
    )
    return Given(
        host=find_user(options["host"]),
        facts=facts,
        transcript=options["transcript"],
        accept_short=options["accept_short"],
        skip_bad_transcript=options["skip_bad_transcript"],
        lenient_transcript=options["lenient_transcript"],
        transcribe=options["transcribe"],
    )


def _facts(outcome: Outcome) -> dict[str, Any]:
    space = outcome.space
    return {
        "id": str(space.id),
        "created": outcome.created,
        "state": space.state,
        "ended_at": space.ended_at.isoformat(),
        "expires_at": space.expires_at.isoformat() if space.expires_at else None,
        "notes": outcome.notes,
    }


def _prefix_name(plan: Plan, text: str) -> str:
    return text if text.startswith(f"{plan.candidate.name}: ") else f"{plan.candidate.name}: {text}"


def _parse_time(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise Refused("intake.not_a_time", text=text) from None
