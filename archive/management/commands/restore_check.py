from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db import ProgrammingError

from archive import error_messages, restores
from archive.management.base import Command as Base
from archive.management.base import add_by, find_user
from archive.transparency import restore_check
from archive.transparency.restore_check import Report
from archive.transparency.verify_log import Invalid

HELP = """Compare the database with the copy of its log in the store, after a restore from a backup.

Without an option it only reports. --apply brings back the entries that the database lacks, and the flags, legal holds
and deletions that they record. --confirm ends the pause of deletion (docs/operations.md, "Backups and restores").
Exit status 1 while a restore waits to be confirmed.
"""
NOT_OWNER = (
    "Run it where DATABASE_OWNER_URL is set, as for manage.py migrate: the owner of the tables restores entries."
)
PAUSED = "Nothing is deleted until this restore is confirmed: manage.py restore_check "


class Command(Base):
    help = HELP

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--quick", action="store_true", help="only say whether a restore waits to be confirmed")
        parser.add_argument("--apply", action="store_true", help="restore what the log knows")
        parser.add_argument("--confirm", action="store_true", help="end the pause of deletion")
        parser.add_argument("--reason", default="", metavar="TEXT", help="what happened; auditors read it")
        parser.add_argument("--accept-losses", action="store_true", help="confirm although something is not restored")
        add_by(parser, required=False)

    def run(self, **options: Any) -> None:
        try:
            if options["quick"]:
                self._look_quickly(as_json=options["json"])
                return
            if options["confirm"]:
                self._confirm(options)
                return
            report = restore_check.apply() if options["apply"] else restore_check.check()
        except Invalid as error:
            raise CommandError(str(error)) from error
        except ProgrammingError as error:
            raise CommandError(f"{NOT_OWNER} ({str(error).splitlines()[0]})") from error
        self.print_result("\n".join(_lines(report)), report.as_json(), as_json=options["json"])
        if report.paused:
            raise CommandError(PAUSED + ("--confirm --by NAME --reason TEXT" if report.is_restored else "--apply"))
        if report.missing:
            raise CommandError("The log of this database is not that of the copy in the store.")

    def _look_quickly(self, *, as_json: bool) -> None:
        pause = error_messages.render(restores.find_pause())
        self.print_result(pause or "No restore waits to be confirmed.", {"paused": bool(pause)}, as_json=as_json)
        if pause:
            raise CommandError(pause)

    def _confirm(self, options: dict[str, Any]) -> None:
        if not options["by"]:
            raise CommandError("Name the admin who confirms: --confirm --by NAME --reason TEXT.")
        by = find_user(options["by"])
        done = restore_check.confirm(options["reason"], by, accept_losses=options["accept_losses"])
        self.print_result(
            "Confirmed: deletion continues. The log says so.", {"confirmed": done.pk}, as_json=options["json"]
        )


def _lines(report: Report) -> list[str]:
    if report.copied is None:
        return ["The store has no copy of the log, so a restore can't be recognized."]
    lines = [
        f"entries in the database  {report.size}",
        f"entries in the copy      {report.copied}",
        f"in both                  {report.common}, up to entry {report.last_common}",
    ]
    for step in report.steps:
        why = f": {step.why}" if step.why else ""
        lines.append(f"{step.outcome:<9} entry {step.entry}, {step.at}, {step.event}, Space {step.space or '-'}{why}")
    lines += [f"by hand   entry {step.entry}, {step.at}, {step.event}: {step.why}" for step in report.withdrawn]
    lines += [f"not here  Space {pk}: {count} objects in the store" for pk, count in report.unknown.items()]
    lines += [f"again     Space {pk}: its recording was received since; upload it again" for pk in report.unfinished]
    lines += [f"lost      {event}: {count}" for event, count in report.lost.items()]
    return lines
