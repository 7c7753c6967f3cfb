from datetime import datetime
from typing import Any

from django.core.management.base import CommandError, CommandParser

from archive.management.base import Command as Base
from archive.models import Space
from archive.retention.due import due_spaces
from archive.retention.purge import sweep_all


class Command(Base):
    help = "Delete what is due. With --dry-run only say what that is; with --at, what it would be at that time."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--dry-run", action="store_true")
        parser.add_argument("--at", metavar="ISO", help="with --dry-run: a time with zone")

    def run(self, **options: Any) -> None:
        if options["at"] and not options["dry_run"]:
            raise CommandError("--at only goes with --dry-run: nothing is deleted before the database's clock says so.")
        if options["dry_run"]:
            rows = [{"id": str(d.id), "expires_at": str(d.expires_at)} for d in due_spaces(_moment(options["at"]))]
            words = "\n".join(f"{row['id']}  due {row['expires_at']}" for row in rows) or "Nothing is due."
            self.say(words, {"due": rows}, as_json=options["json"])
            return
        deleted = [str(pk) for pk in sweep_all()]
        left = Space.objects.filter(state=Space.State.EXPIRING).exclude(problem={})
        failed = {str(space.pk): space.problem_text for space in left}
        self.say(f"Deleted {len(deleted)} Spaces.", {"deleted": deleted, "failed": failed}, as_json=options["json"])
        if failed:
            raise CommandError(f"{len(failed)} are not deleted yet, and are tried again: {next(iter(failed.values()))}")


def _moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise CommandError(f"{text!r} is not a time: write it as in 2026-11-22T14:05:00Z.") from None
    if moment.tzinfo is None:
        raise CommandError(f"{text} has no time zone: write it as in 2026-11-22T14:05:00Z.")
    return moment
