from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from archive.management.base import Command as Base
from archive.transparency.verify import verify
from archive.transparency.verify_log import Checkpoint, Invalid, Key, sentence


class Command(Base):
    help = "Verify the retention log: every entry, the tree over it, its tiles in the store, and all signatures."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--key", action="append", default=[], metavar="VKEY", help="trusted keys; by default ours")
        parser.add_argument(
            "--checkpoint", action="append", type=Path, default=[], metavar="FILE", help="one that you kept"
        )

    def run(self, **options: Any) -> None:
        try:
            keys = [Key.parse(text) for text in options["key"]]
            known = [Checkpoint.parse(path.read_text(), path.name) for path in options["checkpoint"]]
            values = verify(keys, known)
        except OSError as error:
            raise CommandError(f"{error.filename} can't be read: {error.strerror}.") from error
        except Invalid as error:
            if options["json"]:
                self.print_result("", {"valid": False, "code": error.code, **error.values}, as_json=True)
            raise CommandError(f"NOT VALID: {error}") from error
        facts = {"valid": True, "code": "log.verified", **values}
        self.print_result(sentence("log.verified", values), facts, as_json=options["json"])
