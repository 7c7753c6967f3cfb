from datetime import datetime
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils.translation import ngettext

from archive import error_messages, restores
from archive.management.base import Command as Base
from archive.models import Space
from archive.retention.due import due_spaces
from archive.retention.purge import sweep_all


class Command(Base):
    help = "Delete the Spaces that are due. With --dry-run, list them; with --at, list those due at that time."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--dry-run", action="store_true", help="delete nothing, list them")
        parser.add_argument("--at", metavar="ISO", help="with --dry-run: a time with zone")

    def run(self, **options: Any) -> None:
        if options["at"] and not options["dry_run"]:
            raise CommandError("--at needs --dry-run: nothing is deleted before its deadline by the database's clock.")
        pause = error_messages.render(restores.find_pause())
        if options["dry_run"]:
            rows = [{"id": str(d.id), "expires_at": str(d.expires_at)} for d in due_spaces(_parse_time(options["at"]))]
            text = "\n".join(f"{row['id']}  due {row['expires_at']}" for row in rows) or "Nothing is due."
            text = f"{text}\n{pause}".rstrip()
            self.print_result(text, {"due": rows, "paused": pause}, as_json=options["json"])
            return
        if pause:
            raise CommandError(pause)
        deleted = [str(pk) for pk in sweep_all()]
        left = Space.objects.filter(state=Space.State.EXPIRING).exclude(problem={})
        failed = {str(space.pk): space.problem_text for space in left}
        text = ngettext("Deleted {count} Space.", "Deleted {count} Spaces.", len(deleted)).format(count=len(deleted))
        self.print_result(text, {"deleted": deleted, "failed": failed}, as_json=options["json"])
        if failed:
            reason = next(iter(failed.values()))
            raise CommandError(f"Not deleted yet: {len(failed)}. The deletion is retried. The first reason: {reason}")


def _parse_time(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise CommandError(f"{text!r} is not a time: write it as in 2026-11-22T14:05:00Z.") from None
    if moment.tzinfo is None:
        raise CommandError(f"{text} has no time zone: write it as in 2026-11-22T14:05:00Z.")
    return moment
