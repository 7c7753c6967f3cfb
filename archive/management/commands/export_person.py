import json
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from archive.accounts.export_person import export_person
from archive.management.base import Command as Base
from archive.management.base import find_account


class Command(Base):
    help = "Write everything that is known about a person as JSON: the answer to a request for access."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("name", metavar="NAME", help="the user name, also of an account that is deactivated")
        parser.add_argument("--out", required=True, metavar="FILE", help="where to write the JSON")

    def run(self, **options: Any) -> None:
        user = find_account(options["name"])
        facts = export_person(user)
        path = Path(options["out"])
        try:
            path.touch(mode=0o600, exist_ok=False)
            path.write_text(json.dumps(facts, ensure_ascii=False, indent=2) + "\n")
        except FileExistsError:
            raise CommandError(f"{path} exists already. Nothing was written.") from None
        except OSError as error:
            raise CommandError(f"{path} can't be written: {error.strerror}.") from error
        count = sum(len(rows) for rows in facts["tables"].values())
        result = {"user": user.pk, "file": str(path), "rows": count, "log_entries": len(facts["log"])}
        self.print_result(f"{path}: {count} rows, {len(facts['log'])} log entries.", result, as_json=options["json"])
