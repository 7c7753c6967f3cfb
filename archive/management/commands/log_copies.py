from dataclasses import asdict
from typing import Any

from django.core.management.base import CommandError, CommandParser

from archive.management.base import Command as Base
from archive.management.base import add_by, find_user
from archive.transparency import copies

HELP = """List the checkpoints in the second bucket that the log does not extend; acknowledge one.

While there is one, no checkpoint is signed. acknowledge KEY ends the alert about this copy: first find out who wrote it
(docs/log.md). A copy of more entries than the log has means, most of the time, that an older database was restored;
acknowledge it with --larger, and only if no entries are missing.
"""


class Command(Base):
    help = HELP

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "action", nargs="?", choices=["list", "acknowledge"], default="list", help="by default list"
        )
        parser.add_argument("key", nargs="?", metavar="KEY", help="as the list has it")
        parser.add_argument("--reason", default="", metavar="TEXT", help="what you found out; auditors read it")
        parser.add_argument("--sha256", default="", metavar="HEX", help="which one, if several lie at KEY")
        parser.add_argument("--larger", action="store_true", help="also a copy of more entries than the log has")
        add_by(parser, required=False)

    def run(self, **options: Any) -> None:
        if options["action"] == "list":
            self._list(as_json=options["json"])
            return
        if not (options["key"] and options["by"]):
            raise CommandError("Name the copy and who acknowledges it: manage.py log_copies acknowledge KEY --by NAME.")
        user, more = find_user(options["by"]), {name: options[name] for name in ("sha256", "larger")}
        done = copies.acknowledge(options["key"], options["reason"], user, **more)
        text = f"Acknowledged: {done.key}, of size {done.size}. The log and the page of its proof say so."
        self.print_result(text, asdict(done), as_json=options["json"])

    def _list(self, *, as_json: bool) -> None:
        found = copies.contradictions()
        lines = [f"{one.key}  size {one.size}  sha256 {one.sha256}" for one in found]
        text = "\n".join(lines) or "No copy is known that the log does not extend."
        self.print_result(text, {"contradictions": [asdict(one) for one in found]}, as_json=as_json)
