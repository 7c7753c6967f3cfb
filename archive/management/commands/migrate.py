"""manage.py migrate, as the owner of the tables; then the portal's role gets its privileges."""

from typing import Any

from django.core.management.commands import migrate

from archive import database_roles


class Command(migrate.Command):
    """Django's command with another connection. See archive/database_roles.py."""

    def handle(self, *args: Any, **options: Any) -> None:
        with database_roles.as_owner(options["database"]) as connection:
            super().handle(*args, **options)
            if not (options["plan"] or options["check_unapplied"]):
                database_roles.grant_privileges(connection)
