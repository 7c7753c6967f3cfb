from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from archive.errors import Refused
from archive.formatting import format_count
from archive.intake.importers import Facts, find, is_several
from archive.intake.ingest import Outcome, ingest
from archive.intake.request import validate_ended_at
from archive.management.base import Command as Base
from archive.management.base import find_user
from archive.management.ingest_plan import Given, Plan
from archive.management.progress import ProgressBar


class Command(Base):
    help = (
        "Take in recordings (m4a, mp3, ogg or opus, wav, flac, raw AAC) with their transcripts: files, folders, or ZIP "
        "archives, as X, twspace-dl, LiveKit and Zoom leave them. Prints the id of each Space."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "files", nargs="+", metavar="FILE", type=Path, help="a recording, a folder, or a ZIP archive"
        )
        parser.add_argument("--host", required=True, metavar="NAME", help="whose Space it was")
        parser.add_argument("--title", default="", help="default: what the files say, or the file's name")
        parser.add_argument("--ended-at", metavar="ISO", help="when the Space ended, with zone: 2026-11-22T14:05:00Z")
        parser.add_argument("--transcript", type=Path, metavar="FILE", help="WebVTT, SRT, captions as JSONL ...")
        parser.add_argument("--language", default="", help="of the transcript: en, pt-BR ...")
        parser.add_argument(
            "--audience", choices=["everyone", "followed", "invited"], default="", help="who could talk"
        )
        parser.add_argument("--cohost", action="append", default=[], metavar="NAME", help="up to 2")
        parser.add_argument("--speaker", action="append", default=[], metavar="NAME", help="up to 10")
        parser.add_argument("--listeners-peak", type=int, metavar="N")
        parser.add_argument("--listeners-total", type=int, metavar="N")
        parser.add_argument("--accept-short", action="store_true", help="keep a recording whose end is missing")
        parser.add_argument(
            "--skip-bad-transcript", action="store_true", help="take in the recording if the transcript is not one"
        )
        parser.add_argument(
            "--lenient-transcript", action="store_true", help="keep what can be read of a broken transcript"
        )
        parser.add_argument(
            "--transcribe", action="store_true", help="have a machine write down what no transcript has"
        )
        parser.add_argument("--dry-run", action="store_true", help="show what would be taken in, and take in nothing")

    def run(self, **options: Any) -> None:
        files: list[Path] = options["files"]
        _check_files([*files, *([options["transcript"]] if options["transcript"] else [])], files)
        plans = _plans(files, _given(options))
        if options["dry_run"]:
            self._show(plans, as_json=options["json"])
        elif len(files) == 1 and not is_several(files[0]):
            self._take_one(plans[0], as_json=options["json"])
        else:
            self._take_all(plans, as_json=options["json"])

    def _show(self, plans: list[Plan], *, as_json: bool) -> None:
        shown = "\n".join(plan.as_text() for plan in plans)
        self.say(shown, {"spaces": [plan.as_json() for plan in plans]}, as_json=as_json)
        wrong = sum(bool(plan.problem()) for plan in plans)
        if wrong:
            raise CommandError(f"{wrong} of {format_count(len(plans), 'recording')} would not be taken in.")

    def _take_one(self, plan: Plan, *, as_json: bool) -> None:
        for note in plan.facts.notes:
            self.stderr.write(note)
        facts = self._take(plan)
        self.say(facts["id"], facts, as_json=as_json)

    def _take_all(self, plans: list[Plan], *, as_json: bool) -> None:
        """One that is refused does not stop the others. The store or the database being away stops all; what was done
        until then is printed all the same."""
        taken: list[dict[str, Any]] = []
        refused: list[dict[str, str]] = []
        try:
            for plan in plans:
                for note in plan.facts.notes:
                    self.stderr.write(_about(plan, note))
                try:
                    taken.append({"file": plan.found.recording} | self._take(plan))
                except Refused as error:
                    refused.append({"file": plan.found.recording, "problem": str(error)})
                    self.stderr.write(_about(plan, f"not taken in. {error}"))
                else:
                    if not as_json:
                        self.stdout.write(taken[-1]["id"])
        finally:
            if as_json:
                self.say("", {"spaces": taken, "rejected": refused}, as_json=True)
        if refused:
            raise CommandError(
                f"{len(refused)} of {format_count(len(plans), 'recording')} were not taken in: see above."
            )

    def _take(self, plan: Plan) -> dict[str, Any]:
        if problem := plan.problem():  # before anything is unpacked
            raise Refused.of(problem)
        with plan.found.on_disk() as (recording, transcript), ProgressBar(plan.found.name) as bar:
            outcome = ingest(plan.request(recording, transcript), bar.show)
        for note in outcome.notes:
            self.stderr.write(note)
        if not outcome.created:
            self.stderr.write("This recording is here already: nothing was added.")
        return _facts(outcome)


def _check_files(everything: Sequence[Path], files: Sequence[Path]) -> None:
    for file in everything:
        if file.is_dir() and file not in files:
            raise CommandError(f"{file}: it is a folder, not a file.")
        if not (file.is_file() or file.is_dir()):
            raise CommandError(f"{file}: there is no such file.")


def _plans(files: Sequence[Path], given: Given) -> list[Plan]:
    found = [one for file in files for one in find(file)]
    if len(found) > 1 and (given.transcript or given.facts.title):
        raise CommandError("--title and --transcript belong to one recording: give one FILE, or leave them out.")
    ends = [one.name for one in found if one.facts.ended_at is not None]
    if len(found) > 1 and given.facts.ended_at is not None and ends:
        raise CommandError(
            f"--ended-at is for recordings whose end is not known, but {ends[0]} has its own. Leave it out."
        )
    return [Plan(one, given) for one in found]


def _given(options: dict[str, Any]) -> Given:
    facts = Facts(
        title=options["title"],
        ended_at=validate_ended_at(_moment(options["ended_at"])) if options["ended_at"] else None,
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


def _about(plan: Plan, words: str) -> str:
    return words if words.startswith(f"{plan.found.name}: ") else f"{plan.found.name}: {words}"


def _moment(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise Refused("intake.not_a_time", text=text) from None
