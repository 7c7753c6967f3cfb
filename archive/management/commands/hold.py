from datetime import date
from typing import Any

from django.core.management.base import CommandParser

from archive.management.base import Command as Base
from archive.management.base import add_by, find_space, find_user
from archive.moderation.holds import place


class Command(Base):
    help = "Place a legal hold on a Space. Nothing of it is deleted until the hold is released."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("space", metavar="SPACE", help="the Space's id")
        parser.add_argument("--reason", required=True, metavar="TEXT", help="why; admins and auditors read it")
        parser.add_argument("--case", default="", metavar="NUMBER", help="the case number of the matter")
        parser.add_argument(
            "--review-on", type=date.fromisoformat, metavar="DATE", help="when to check whether it is still needed"
        )
        add_by(parser)

    def run(self, **options: Any) -> None:
        space = find_space(options["space"])
        by, matter = find_user(options["by"]), {"case_number": options["case"], "review_on": options["review_on"]}
        hold = place(space.id, options["reason"], by, **matter)
        facts = {"space": str(space.id), "hold": hold.pk, "expires_at": None}
        self.print_result(
            f"Placed legal hold {hold.pk}. The Space has no deadline until it is released.",
            facts,
            as_json=options["json"],
        )
