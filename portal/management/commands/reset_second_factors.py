from typing import Any

from allauth.mfa.models import Authenticator
from django.core.management.base import CommandParser
from django.db import transaction

from archive.accounts import changes
from archive.log import events
from archive.management.base import Command as Base
from archive.management.base import add_by, find_account, find_user
from portal.sign_in.events import log_event
from portal.sign_in.sessions import end_sessions


class Command(Base):
    help = "Delete all second factors of an account, whose owner has lost them, and end its sessions."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("name", metavar="NAME", help="the user name")
        add_by(parser, required=False)

    def run(self, **options: Any) -> None:
        user = find_account(options["name"])
        by = find_user(options["by"]) if options["by"] else None
        with transaction.atomic():
            changes.check_is_no_older_admin(changes.lock_account(user.pk, by), by)
            count = Authenticator.objects.filter(user=user).exclude(type=Authenticator.Type.RECOVERY_CODES).count()
            Authenticator.objects.filter(user=user).delete()
            sessions = end_sessions(user)
            changes.record(events.ACCOUNT_SECOND_FACTORS_RESET, user, by)
        log_event("second_factors_reset", None, user, by=by.pk if by else None)
        self.print_result(
            f"Deleted {count} second factors of {user.username}, and ended {sessions} sessions.",
            {"user": user.pk, "second_factors": count, "sessions": sessions},
            as_json=options["json"],
        )
