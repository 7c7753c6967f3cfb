from dataclasses import asdict
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db import ProgrammingError
from psycopg.errors import InsufficientPrivilege

from archive import error_messages, restores
from archive.errors import CheckpointMissing, make_problem
from archive.formatting import format_count
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
        actions = parser.add_mutually_exclusive_group()
        actions.add_argument("--quick", action="store_true", help="only say whether a restore waits to be confirmed")
        actions.add_argument("--apply", action="store_true", help="restore what the log knows")
        actions.add_argument("--confirm", action="store_true", help="end the pause of deletion")
        parser.add_argument("--reason", default="", metavar="TEXT", help="what happened; auditors read it")
        parser.add_argument("--accept-losses", action="store_true", help="confirm although something is not restored")
        add_by(parser, required=False)

    def run(self, **options: Any) -> None:
        if not options["confirm"] and (options["by"] or options["reason"] or options["accept_losses"]):
            raise CommandError("--by, --reason and --accept-losses go only with --confirm.")
        try:
            if options["quick"]:
                self._look_quickly(as_json=options["json"])
                return
            if options["confirm"]:
                self._confirm(options)
                return
            report = restore_check.apply() if options["apply"] else restore_check.check()
        except (Invalid, CheckpointMissing) as error:
            raise CommandError(str(error)) from error
        except ProgrammingError as error:
            if not isinstance(error.__cause__, InsufficientPrivilege):
                raise
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
        done, report = restore_check.confirm(options["reason"], by, accept_losses=options["accept_losses"])
        lost = [f"NOT RESTORED  {step}" for step in report.open_steps]
        lost += [_without_row(pk, count) for pk, count in report.without_row.items()]
        lines = ["Confirmed: deletion continues. The log says so.", *lost]
        steps = [asdict(step) for step in report.open_steps]
        facts = {"confirmed": done.pk, "not_restored": steps, "without_row": report.without_row}
        self.print_result("\n".join(lines), facts, as_json=options["json"])


def _lines(report: Report) -> list[str]:
    if report.copied is None and report.paused:
        return [error_messages.render(make_problem("restore.no_copy"))]
    if report.copied is None:
        return ["The store has no copy of the log, so a restore can't be recognized."]
    has = "" if report.has_found else "NOT "
    found = [f"entries that are signed  {report.found} ({report.place}), {has}in this database"]
    lines = [
        *(found if report.found is not None else []),
        f"entries in the database  {report.size}",
        f"entries in the copy      {report.copied}",
        f"in both                  {report.common}, up to entry {report.last_common}",
    ]
    for step in report.steps:
        why = f": {step.why}" if step.why else ""
        lines.append(f"{step.outcome:<10} entry {step.entry}, {step.at}, {step.event}, Space {step.space or '-'}{why}")
    lines += [f"withdraw   entry {step.entry}, {step.at}, {step.event}: {step.why}" for step in report.withdrawn]
    lines += [_without_row(pk, count) for pk, count in report.without_row.items()]
    lines += [f"not here   {event}: {count}" for event, count in report.lost.items()]
    return lines


def _without_row(pk: str, count: int) -> str:
    objects = format_count(count, "object")
    return f"no row     Space {pk}, {objects} in the store: an orphan, which reconcile --apply removes after a day"
