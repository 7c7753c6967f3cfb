from typing import Any

from django.core.management.base import CommandError, CommandParser

from archive import formatting
from archive.management.base import Command as Base
from archive.retention.reconcile import MOST, reconcile


class Command(Base):
    help = (
        "Compare the object store with the database, both ways. Without --apply it only reports; with --apply it "
        "removes orphans that were found twice, 24 hours apart."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--apply", action="store_true", help="remove orphans")
        parser.add_argument("--max-removals", type=int, default=MOST, metavar="N", help="remove at most this many")

    def run(self, **options: Any) -> None:
        result = reconcile(apply=options["apply"], most=options["max_removals"])
        lines = [
            *(f"orphan                 {key}" for key in result.orphans),
            *(f"upload without a row   {key}" for key in result.uploads),
            *(f"unknown name           {key}" for key in result.unknown),
            *(f"MISSING                {key}" for key in result.ghosts),
        ]
        summary = (
            f"Removed {formatting.format_count(len(result.removed), 'object')}, "
            f"aborted {formatting.format_count(len(result.ended), 'upload')}."
        )
        if not options["apply"]:
            summary = "Nothing was changed. --apply records orphans and removes those found again after 24 hours."
        self.print_result(
            "\n".join([*(lines or ["Store and database match."]), summary]), result.facts, as_json=options["json"]
        )
        if result.ghosts:
            raise CommandError(
                f"{formatting.format_count(len(result.ghosts), 'stored object')} missing: {result.ghosts[0]}. "
                "Check the store's logs and backups; the rows stay."
            )
