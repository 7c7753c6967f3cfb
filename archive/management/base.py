"""What our commands share: errors are one clear line on standard error, and exit status 0 only means success."""

import json
from abc import ABC, abstractmethod
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import OperationalError

from archive.errors import SpacekeepError, StorageError, StoreDenied
from archive.models import Space, User


class Command(BaseCommand, ABC):
    """A command whose `run` may raise our errors. With --json it prints one JSON object, and nothing else, on
    stdout."""

    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            self.run(**options)
        except StoreDenied as error:
            raise CommandError(
                f"{error} Look at S3_ACCESS_KEY_ID and S3_SECRET_ACCESS_KEY. Nothing was lost."
            ) from error
        except StorageError as error:
            raise CommandError(f"{error} Call again when it is back: nothing was lost.") from error
        except SpacekeepError as error:
            raise CommandError(str(error)) from error
        except OperationalError as error:
            reason = str(error).strip().splitlines()[0]
            raise CommandError(
                f"The database can't be reached: {reason} Call again when it is back: nothing was lost."
            ) from error

    @abstractmethod
    def run(self, **options: Any) -> None:
        """What the command does. Raises CommandError or any of our errors."""

    def say(self, words: str, facts: dict[str, Any], *, as_json: bool) -> None:
        self.stdout.write(json.dumps(facts, ensure_ascii=False) if as_json else words)


def find_user(name: str) -> User:
    user = User.objects.filter(username=name, is_active=True).first()
    if user is None:
        raise CommandError(f"There is no user {name!r}. Make one with: manage.py createsuperuser, or in the admin.")
    return user


def find_space(text: str) -> Space:
    try:
        space = Space.objects.filter(pk=UUID(text)).first()
    except ValueError:
        raise CommandError(f"{text!r} is not a Space's id.") from None
    if space is None:
        raise CommandError(f"There is no Space {text}.")
    return space
