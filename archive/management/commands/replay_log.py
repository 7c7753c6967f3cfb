from dataclasses import asdict
from typing import Any

from django.core.management.base import CommandError

from archive import formatting
from archive.management.base import Command as Base
from archive.retention.replay import replay


class Command(Base):
    help = "Recompute every deadline from the retention log alone, and report deletions that were early, late or undue."

    def run(self, **options: Any) -> None:
        count, findings = 0, []
        for _, new in replay():
            count += 1
            findings += new
        lines = [f"{f.space}  {f.kind}: {f.text}{f' (entry {f.entry})' if f.entry else ''}" for f in findings]
        lines.append(
            f"{formatting.format_count(count, 'Space')} replayed, {formatting.format_count(len(findings), 'finding')}."
        )
        facts = {"spaces": count, "findings": [{**asdict(f), "space": str(f.space)} for f in findings]}
        self.print_result("\n".join(lines), facts, as_json=options["json"])
        if findings:
            raise CommandError(
                f"{formatting.format_count(len(findings), 'finding')}: deletions did not follow the policy."
            )
