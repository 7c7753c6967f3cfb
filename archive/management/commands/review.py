from typing import Any

from django.core.management.base import CommandParser

from archive.management.base import Command as Base
from archive.management.base import add_by, find_space, find_user
from archive.moderation.reviews import review


class Command(Base):
    help = "Record that an admin reviewed a Space and found no violation."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("space", metavar="SPACE", help="the Space's id")
        add_by(parser)

    def run(self, **options: Any) -> None:
        space = review(find_space(options["space"]).id, find_user(options["by"]))
        assert space.reviewed_at is not None
        facts = {"space": str(space.id), "reviewed_at": space.reviewed_at.isoformat()}
        self.print_result("Reviewed: no violation.", facts, as_json=options["json"])
