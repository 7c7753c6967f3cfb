from typing import Any

from django.core.management.base import CommandParser

from archive.accounts.closing import close_account
from archive.management.base import Command as Base
from archive.management.base import find_account, find_user


class Command(Base):
    help = "Close an account: erase the person's name, address and settings. Their Spaces must be deleted before."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("name", metavar="NAME", help="the user name")
        parser.add_argument("--by", metavar="NAME", help="an admin; without it, the operator closes it")

    def run(self, **options: Any) -> None:
        user = find_account(options["name"])
        close_account(user.pk, find_user(options["by"]) if options["by"] else None)
        self.print_result(
            f"Closed. The account is {user.pk} now, without a name.", {"user": user.pk}, as_json=options["json"]
        )
