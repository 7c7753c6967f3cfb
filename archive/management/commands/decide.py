from typing import Any

from django.core.management.base import CommandParser

from archive.management.base import Command as Base
from archive.management.base import add_by, deadline_sentence, find_user
from archive.moderation.appeals import decide


class Command(Base):
    help = "Decide an appeal: grant it and the flag is lifted, deny it and the flag is upheld."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("appeal", metavar="APPEAL", type=int, help="its number, as /moderation/appeals/ shows it")
        parser.add_argument("decision", choices=["grant", "deny"], help="the decision")
        parser.add_argument("--reason", required=True, metavar="TEXT", help="why; the host reads it")
        add_by(parser)

    def run(self, **options: Any) -> None:
        granted = options["decision"] == "grant"
        decided = decide(options["appeal"], options["reason"], find_user(options["by"]), granted=granted)
        space = decided.violation.space
        until = space.expires_at.isoformat() if space.expires_at else None
        facts = {"space": str(space.id), "appeal": decided.pk, "state": decided.state, "expires_at": until}
        text = f"{decided.get_state_display().capitalize()}. {deadline_sentence(space)}"
        self.print_result(text, facts, as_json=options["json"])
