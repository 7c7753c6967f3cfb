from typing import Any

from django.core.management.base import CommandError, CommandParser

from archive.accounts import roles
from archive.management.base import Command as Base
from archive.management.base import add_by, find_account, find_user


class Command(Base):
    help = (
        "Grant or revoke a role, or switch an account off or on. Each change is an entry of the retention log. Without "
        "--by, the operator makes the change."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("action", choices=["grant", "revoke", "activate", "deactivate"], help="what to change")
        parser.add_argument("name", metavar="NAME", help="the account's user name")
        parser.add_argument("role", nargs="?", choices=roles.ROLES, help="for grant and revoke")
        add_by(parser, required=False)

    def run(self, **options: Any) -> None:
        action, role = options["action"], options["role"]
        account = find_account(options["name"])
        by = find_user(options["by"]) if options["by"] else None
        changes_role = action in {"grant", "revoke"}
        if changes_role != (role is not None):
            raise CommandError(
                f"Name the role: {', '.join(roles.ROLES)}." if changes_role else f"{action} has no role."
            )
        if changes_role:
            changed = (roles.grant_role if action == "grant" else roles.revoke_role)(account.pk, role, by)
        else:
            changed = roles.set_active(account.pk, active=action == "activate", by=by)
        facts = {"account": account.pk, "action": action, "role": role, "changed": changed}
        change = f"{action} {role}" if role else action
        text = f"{change}: {account.username}. Done." if changed else f"{account.username}: nothing to change."
        self.print_result(text, facts, as_json=options["json"])
