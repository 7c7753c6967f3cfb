from typing import Any
from uuid import UUID

from django.core.management.base import CommandError, CommandParser

from archive.intake.arrivals.retry import list_open, retry
from archive.management.base import Command as Base
from archive.models import Arrival


class Command(Base):
    help = (
        "List the recordings from LiveKit and from inboxes that are not in the archive: refused ones with the reason, "
        "and those that are on their way. With --retry, fetch a refused one again."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--retry", metavar="ID", help="fetch this refused recording again")

    def run(self, **options: Any) -> None:
        if options["retry"]:
            try:
                arrival_id = UUID(options["retry"])
            except ValueError:
                raise CommandError(f"{options['retry']!r} is not the id of a recording.") from None
            retry(arrival_id)
        facts = [describe(arrival) for arrival in list_open()]
        lines = [
            f"{one['id']}  {one['state']:9}  {one['source']}  {one['name']}  {one['text']}".rstrip() for one in facts
        ]
        self.print_result(
            "\n".join(lines or ["Every recording that arrived is in the archive."]),
            {"arrivals": facts},
            as_json=options["json"],
        )


def describe(arrival: Arrival) -> dict[str, Any]:
    return {
        "id": str(arrival.pk),
        "state": arrival.state,
        "source": arrival.source,
        "recorder": arrival.recorder.prefix,
        "name": arrival.source_id,
        "code": arrival.problem_code,
        "text": arrival.problem_text,
    }
