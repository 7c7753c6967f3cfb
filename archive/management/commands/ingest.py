import sys
from datetime import datetime
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser
from tqdm import tqdm

from archive.errors import Refused
from archive.intake.ingest import Outcome, ingest
from archive.intake.request import Request
from archive.management.base import Command as Base
from archive.management.base import find_user


class Command(Base):
    help = (
        "Take in a recording (m4a, mp3, ogg or opus, wav, flac, raw AAC), with its transcript. Prints the Space's id."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("files", nargs="+", metavar="FILE", type=Path, help="a recording")
        parser.add_argument("--host", required=True, metavar="NAME", help="whose Space it was")
        parser.add_argument("--title", default="", help="default: the file's name")
        parser.add_argument("--ended-at", metavar="ISO", help="when the Space ended, with zone: 2026-11-22T14:05:00Z")
        parser.add_argument("--transcript", type=Path, metavar="FILE", help="WebVTT or SRT")
        parser.add_argument("--language", default="und", help="of the transcript: en, pt-BR ...")
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

    def run(self, **options: Any) -> None:
        files: list[Path] = options["files"]
        if len(files) > 1 and (options["transcript"] or options["title"]):
            raise CommandError("--title and --transcript belong to one recording: give one FILE, or leave them out.")
        for file in [*files, *([options["transcript"]] if options["transcript"] else [])]:
            if not file.is_file():
                what = "it is a folder, not a file" if file.is_dir() else "there is no such file"
                raise CommandError(f"{file}: {what}.")
        if not options["ended_at"]:
            raise CommandError(
                "When did the Space end? Give --ended-at: the clock starts there, never at the file's date."
            )
        for file in files:
            outcome = self._ingest(file, options)
            for note in outcome.notes:
                self.stderr.write(note)
            if not outcome.created:
                self.stderr.write("This recording is here already: nothing was added.")
            self.say(str(outcome.space.id), self._facts(outcome), as_json=options["json"])

    def _ingest(self, file: Path, options: dict[str, Any]) -> Outcome:
        request = Request(
            recording=file,
            host=find_user(options["host"]),
            ended_at=_moment(options["ended_at"]),
            title=options["title"] or file.stem,
            transcript=options["transcript"],
            language=options["language"],
            audience=options["audience"],
            cohosts=tuple(options["cohost"]),
            speakers=tuple(options["speaker"]),
            listeners_peak=options["listeners_peak"],
            listeners_total=options["listeners_total"],
            accept_short=options["accept_short"],
            skip_bad_transcript=options["skip_bad_transcript"],
        )
        with Bar(file.name) as bar:
            return ingest(request, bar.show)

    def _facts(self, outcome: Outcome) -> dict[str, Any]:
        space = outcome.space
        return {
            "id": str(space.id),
            "created": outcome.created,
            "state": space.state,
            "ended_at": space.ended_at.isoformat(),
            "expires_at": space.expires_at.isoformat() if space.expires_at else None,
            "notes": outcome.notes,
        }


def _moment(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise Refused(f"{text!r} is not a time: write it as in 2026-11-22T14:05:00Z.") from None


class Bar:
    """Progress on a terminal: first the seconds that were listened to, then the bytes that were stored."""

    def __init__(self, name: str) -> None:
        self.name, self.what = name, ""
        self.bar: tqdm[Any] | None = None

    def __enter__(self) -> "Bar":
        return self

    def __exit__(self, *args: object) -> None:
        if self.bar is not None:
            self.bar.close()

    def show(self, what: str, done: float, total: float) -> None:
        if what != self.what:
            if self.bar is not None:
                self.bar.close()
            unit = {"unit": "B", "unit_scale": True} if what == "storing" else {"unit": "s"}
            self.bar = tqdm(
                desc=f"{self.name}: {what}", total=total or None, file=sys.stderr, disable=None, leave=False, **unit
            )
            self.what = what
        if self.bar is not None:
            self.bar.update(done - self.bar.n)
