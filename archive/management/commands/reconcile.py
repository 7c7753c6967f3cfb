from typing import Any

from django.core.management.base import CommandError, CommandParser

from archive import formatting
from archive.management.base import Command as Base
from archive.retention.reconcile import MOST, reconcile


class Command(Base):
    help = (
        "Compare the object store with the database, both ways. Without --apply it only says what it finds; with it, "
        "what belongs to nothing is removed when it was seen twice, 24 hours apart."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--apply", action="store_true")
        parser.add_argument(
            "--max-removals", type=int, default=MOST, metavar="N", help="how many things may be removed"
        )

    def run(self, **options: Any) -> None:
        found = reconcile(apply=options["apply"], most=options["max_removals"])
        said = [
            *(f"belongs to nothing     {key}" for key in found.orphans),
            *(f"upload without a row   {key}" for key in found.uploads),
            *(f"not a name of ours     {key}" for key in found.unknown),
            *(f"MISSING                {key}" for key in found.ghosts),
        ]
        done = (
            f"Removed {formatting.format_count(len(found.removed), 'object')}, "
            f"aborted {formatting.format_count(len(found.ended), 'upload')}."
        )
        if not options["apply"]:
            done = "Nothing was changed. With --apply, it is remembered, and removed when it is seen again in 24 hours."
        self.say("\n".join([*(said or ["Everything fits."]), done]), found.facts, as_json=options["json"])
        if found.ghosts:
            raise CommandError(
                f"{formatting.format_count(len(found.ghosts), 'stored object')} not there any more: {found.ghosts[0]}. "
                "Look at the store's own logs and backups; the rows stay."
            )
