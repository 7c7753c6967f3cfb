from typing import Any

from django.core.management.base import CommandParser

from archive.management.base import Command as Base
from archive.management.base import add_by, deadline_sentence, find_space, find_user
from archive.moderation.violations import flag


class Command(Base):
    help = "Flag a Space for breaking a rule. This extends its deadline."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("space", metavar="SPACE", help="the Space's id")
        parser.add_argument("--rule", required=True, metavar="CODE", help="as /rules/ lists them: spam, hate ...")
        parser.add_argument("--reason", required=True, metavar="TEXT", help="what broke the rule; the host reads it")
        add_by(parser)

    def run(self, **options: Any) -> None:
        space = find_space(options["space"])
        violation = flag(space.id, options["rule"], options["reason"], find_user(options["by"]))
        space.refresh_from_db()
        until = space.expires_at.isoformat() if space.expires_at else None
        facts = {"space": str(space.id), "violation": violation.pk, "expires_at": until}
        self.print_result(f"Flagged. {deadline_sentence(space)}", facts, as_json=options["json"])
