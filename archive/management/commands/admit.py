from typing import Any

from django.core.management.base import CommandParser

from archive.management.base import Command as Base
from archive.management.base import find_user
from archive.moderation import appeals, holds


class Command(Base):
    help = (
        "Let one admin decide one appeal, or release one legal hold, that is older than the roles of all admins. The "
        "retention log records it, with a hash of the reason: keep the text."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("name", metavar="NAME", help="the admin's user name")
        case = parser.add_mutually_exclusive_group(required=True)
        case.add_argument("--appeal", type=int, metavar="APPEAL", help="its number, as /moderation/appeals/ shows it")
        case.add_argument("--hold", type=int, metavar="HOLD", help="its number, as `hold` printed it")
        parser.add_argument("--reason", required=True, metavar="TEXT", help="why; keep the text")

    def run(self, **options: Any) -> None:
        admin, appeal, hold = find_user(options["name"]), options["appeal"], options["hold"]
        if appeal is not None:
            appeals.admit_admin(appeal, admin, options["reason"])
        else:
            holds.admit_admin(hold, admin, options["reason"])
        facts = {"account": admin.pk, "appeal": appeal, "hold": hold}
        self.print_result(f"{admin.username} may decide this case.", facts, as_json=options["json"])
