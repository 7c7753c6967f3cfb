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
            parser.add_argument(f"--{name.replace('_', '-')}", type=int, metavar="DAYS", help="as it is now by default")

    def run(self, **options: Any) -> None:
        now = current_policy()
        try:
            rule = policy.RetentionPolicy(
                *(getattr(now, name) if options[name] is None else options[name] for name in NUMBERS)
            )
        except ValueError:
            raise CommandError("That is no rule: it keeps for at least 1 day, and counts days forward.") from None
        counts: Counter[str] = Counter()
        touched = []
        for moved in simulate(rule):
            counts[kind(moved)] += 1
            if options["json"]:
                touched.append({name: str(value) for name, value in asdict(moved).items()})
            else:
                self.stdout.write(f"{moved.id}  from {moved.before} to {moved.after}  {kind(moved)}")
        words = ", ".join(f"{counts[name]} {name}" for name in ("longer", "shorter", "due at once") if counts[name])
        facts = {"rule": asdict(rule), "touched": touched, **{name: counts[name] for name in sorted(counts)}}
        self.say(f"Nothing was changed. It would be: {words or 'the same for all'}.", facts, as_json=options["json"])


def kind(moved: AffectedSpace) -> str:
    return "due at once" if moved.at_once else "longer" if moved.longer else "shorter"
