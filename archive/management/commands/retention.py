from dataclasses import asdict
from typing import Any

from django.core.management.base import CommandError, CommandParser

from archive import words
from archive.management.base import Command as Base
from archive.retention.replay import replay


class Command(Base):
    help = "retention replay: compute every decision again from the log alone, and say what was not as the rule says."

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
        super().add_arguments(actions.add_parser("replay", help="judge the log by the log alone"))

    def run(self, **options: Any) -> None:
        count, found = 0, []
        for _, findings in replay():
            count += 1
            found += findings
        lines = [f"{f.space}  {f.kind}: {f.said}{f' (entry {f.entry})' if f.entry else ''}" for f in found]
        lines.append(f"{words.count(count, 'Space')} replayed, {words.count(len(found), 'finding')}.")
        facts = {"spaces": count, "findings": [{**asdict(f), "space": str(f.space)} for f in found]}
        self.say("\n".join(lines), facts, as_json=options["json"])
        if found:
            raise CommandError(
                f"{words.count(len(found), 'finding')}: not everything was kept and deleted by the rule."
            )
