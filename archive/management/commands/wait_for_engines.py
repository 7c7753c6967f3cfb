import time
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db import OperationalError, connection

from archive.errors import StorageError, StoreUnavailable
from archive.management.base import Command as Base
from archive.storage import store
from archive.storage.bucket import exists


class Command(Base):
    help = "Wait until PostgreSQL and the object store answer, which may take minutes after a start of the machine."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--seconds", type=float, default=300, metavar="N", help="at most so long (300)")

    def run(self, **options: Any) -> None:
        ends, said = time.monotonic() + options["seconds"], ""
        while problem := _missing():
            if time.monotonic() >= ends:
                raise CommandError(problem)
            if problem != said:
                self.stderr.write(f"Waiting: {problem}")
            said = problem
            time.sleep(1)
        self.print_result("PostgreSQL and the store answer.", {}, as_json=options["json"])


def _missing() -> str:
    """Return which engine does not answer, and why, or ""."""
    try:
        connection.close()  # reconnect, as the old connection may be broken
        connection.ensure_connection()
    except OperationalError as error:
        return f"the database can't be reached: {' '.join(str(error).split())}"
    finally:
        connection.close()
    try:
        exists(store())
    except StoreUnavailable as error:
        # Waiting does not help against an untrusted certificate: setup_store reports the remedy.
        return "" if error.params.get("error") == "SSLError" else str(error)
    except StorageError:
        pass  # the store answered
    return ""
