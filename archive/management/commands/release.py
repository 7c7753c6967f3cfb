from typing import Any

from django.core.management.base import CommandParser

from archive.management.base import Command as Base
from archive.management.base import add_by, deadline_sentence, find_user
from archive.moderation.holds import release


class Command(Base):
    help = (
        "Release a legal hold, so the retention policy applies again. Needs another admin than the one who placed it."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("hold", metavar="HOLD", type=int, help="its number, as `hold` printed it")
        parser.add_argument("--reason", required=True, metavar="TEXT", help="why; admins and auditors read it")
        add_by(parser)

    def run(self, **options: Any) -> None:
        hold = release(options["hold"], options["reason"], find_user(options["by"]))
        hold.space.refresh_from_db()
        until = hold.space.expires_at.isoformat() if hold.space.expires_at else None
        remains = "Another legal hold remains, so there is no deadline yet."
        text = f"Released. {deadline_sentence(hold.space) if until else remains}"
        facts = {"space": str(hold.space_id), "hold": hold.pk, "expires_at": until}
        self.print_result(text, facts, as_json=options["json"])
