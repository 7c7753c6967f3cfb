from collections import Counter
from dataclasses import asdict
from typing import Any

from django.core.management.base import CommandError, CommandParser

from archive import policy
from archive.management.base import Command as Base
from archive.models import current_policy
from archive.retention.simulate import AffectedSpace, simulate

NUMBERS = ("retention_days", "violation_extra_days", "lift_grace_days")


class Command(Base):
    help = "Preview which Spaces a different retention policy would affect. Read-only."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        for name in NUMBERS:
            parser.add_argument(
                f"--{name.replace('_', '-')}", type=int, metavar="DAYS", help="default: the current value"
            )

    def run(self, **options: Any) -> None:
        now = current_policy()
        try:
            proposed = policy.RetentionPolicy(
                *(getattr(now, name) if options[name] is None else options[name] for name in NUMBERS)
            )
        except ValueError:
            raise CommandError(
                "That is no valid policy: it keeps for at least 1 day, and no number is negative."
            ) from None
        counts: Counter[str] = Counter()
        affected = []
        for space in simulate(proposed):
            counts[kind(space)] += 1
            if options["json"]:
                affected.append({name: str(value) for name, value in asdict(space).items()})
            else:
                self.stdout.write(f"{space.id}  from {space.before} to {space.after}  {kind(space)}")
        text = ", ".join(f"{counts[name]} {name}" for name in ("longer", "shorter", "due at once") if counts[name])
        facts = {"rule": asdict(proposed), "affected": affected, **{name: counts[name] for name in sorted(counts)}}
        self.print_result(
            f"Nothing was changed. Deadlines would be: {text or 'the same for all Spaces'}.",
            facts,
            as_json=options["json"],
        )


def kind(space: AffectedSpace) -> str:
    return "due at once" if space.at_once else "longer" if space.longer else "shorter"
