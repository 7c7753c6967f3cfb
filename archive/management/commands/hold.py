from typing import Any

from django.core.management.base import CommandParser

from archive.management.base import Command as Base
from archive.management.base import add_by, find_space, find_user
from archive.moderation.holds import place


class Command(Base):
    help = "Place a legal hold on a Space. Nothing of it is deleted until the hold is released."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("space", metavar="SPACE")
        parser.add_argument("--reason", required=True, metavar="TEXT")
        add_by(parser)

    def run(self, **options: Any) -> None:
        space = find_space(options["space"])
        hold = place(space.id, options["reason"], find_user(options["by"]))
        facts = {"space": str(space.id), "hold": hold.pk, "expires_at": None}
        self.print_result(
            f"Placed legal hold {hold.pk}. The Space has no deadline until it is released.",
            facts,
            as_json=options["json"],
        )
