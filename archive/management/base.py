"""Base class and look-ups for commands: errors are one line on standard error, and exit status 0 means success."""

import json
from abc import ABC, abstractmethod
from typing import Any
from uuid import UUID

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import OperationalError, ProgrammingError

from archive import database_errors, log, schema
from archive.errors import SpacekeepError, StorageError
from archive.formatting import format_time
from archive.models import Space, User
from archive.storage.remedies import remedy_for


class Command(BaseCommand, ABC):
    """A command that turns our errors into CommandError. With --json, standard output is one JSON object."""

    requires_system_checks = []
    # Options of every Django command. They work, but `--help` leaves them out so that ours are easy to find.
    suppressed_base_arguments = {
        *("--version", "--verbosity", "--settings", "--pythonpath", "--traceback", "--no-color", "--force-color"),
    }

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            with log.run_by_command():
                self.run(**options)
        except StorageError as error:
            raise CommandError(f"{error} {remedy_for(error)} Nothing was lost.") from error
        except ImproperlyConfigured as error:
            raise CommandError(str(error)) from error
        except SpacekeepError as error:
            raise CommandError(str(error)) from error
        except ProgrammingError as error:
            if names := schema.find_unapplied():
                raise CommandError(f"{schema.describe_unapplied(names)} {schema.REMEDY}") from error
            raise
        except OperationalError as error:
            if database_errors.is_unreachable(error):
                raise CommandError(database_errors.describe_unreachable(error)) from error
            reason = database_errors.describe(error)
            raise CommandError(f"The database gave up: {reason}. Nothing was lost: run the command again.") from error

    @abstractmethod
    def run(self, **options: Any) -> None:
        """Run the command. May raise CommandError or any of our errors."""

    def print_result(self, text: str, facts: dict[str, Any], *, as_json: bool) -> None:
        """Print `text`, or `facts` as one JSON object."""
        self.stdout.write(json.dumps(facts, ensure_ascii=False) if as_json else text)


def add_by(parser: CommandParser, *, required: bool = True) -> None:
    """Add --by: the account for which the command acts. The log records the account, and that it was a command."""
    parser.add_argument("--by", required=required, metavar="NAME", help="an admin")


def find_user(name: str) -> User:
    """Find an active user. Raises CommandError."""
    user = find_account(name)
    if not user.is_active:
        raise CommandError(f"{name} is deactivated. Activate the account with: manage.py account activate {name}")
    return user


def find_account(name: str) -> User:
    """Find a user, active or not. Raises CommandError."""
    user = User.objects.filter(username=name).first()
    if user is None:
        raise CommandError(
            f"There is no user {name!r}. Invite people under People, or create a superuser with: "
            "manage.py createsuperuser"
        )
    return user


def deadline_sentence(space: Space) -> str:
    """Return the deadline as a sentence, or why there is none."""
    if space.expires_at is None:
        return "On hold, so it has no deadline."
    return f"Deadline: {format_time(space.expires_at)}."


def find_space(text: str) -> Space:
    """Find a Space by its id. Raises CommandError."""
    try:
        space = Space.objects.filter(pk=UUID(text)).first()
    except ValueError:
        raise CommandError(f"{text!r} is not a Space's id.") from None
    if space is None:
        raise CommandError(f"There is no Space {text}.")
    return space
