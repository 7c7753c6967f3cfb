from typing import Any

from django.core.management.base import CommandParser

from archive.management.base import Command as Base
from archive.management.base import add_by, deadline_sentence, find_space, find_user
from archive.moderation.violations import lift


class Command(Base):
    help = "Lift all active flags of a Space that was flagged in error."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("space", metavar="SPACE", help="the Space's id")
        parser.add_argument("--reason", required=True, metavar="TEXT", help="why it was an error; the host reads it")
        add_by(parser)

    def run(self, **options: Any) -> None:
        space = find_space(options["space"])
        lifted = lift(space.id, options["reason"], find_user(options["by"]))
        space.refresh_from_db()
        until = space.expires_at.isoformat() if space.expires_at else None
        facts = {"space": str(space.id), "lifted": [v.pk for v in lifted], "expires_at": until}
        flags = "1 flag" if len(lifted) == 1 else f"{len(lifted)} flags"
        self.print_result(f"Lifted {flags}. {deadline_sentence(space)}", facts, as_json=options["json"])
