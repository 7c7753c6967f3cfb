"""Read the sidecar of a recording in an inbox: JSON with the facts of its Space.

The fields are those of POST /api/v1/spaces, plus `size` and `sha256` of the recording. Unknown fields are refused,
because a mistyped one would be lost silently (docs/how-to/watch-an-inbox.md).
"""

import re
from collections.abc import Iterator

from archive import recorders
from archive.errors import Refused, Unreadable
from archive.intake.arrivals.facts import ArrivalFacts
from archive.intake.arrivals.sources import Source
from archive.intake.importers import values
from archive.intake.register import NewSpace, ParticipantSpec
from archive.intake.request import validate_ended_at, validate_facts
from archive.models import Arrival, Participant, Space

COUNTS = ("listeners_peak", "listeners_total", "size")
FIELDS = {
    *("host", "ended_at", "title", "audience", "cohosts", "speakers", "transcribe", "sha256"),
    *COUNTS,
}
SHA256 = re.compile(r"[0-9a-f]{64}")


def read(arrival: Arrival, source: Source) -> ArrivalFacts:
    """Read the facts. Saves the end on the row first, since a refused recording has a deadline, too. Raises Refused,
    StorageError."""
    fields = values.document(source.read_sidecar(), arrival.path)
    if not isinstance(fields, dict):
        raise Unreadable("arrival.sidecar_no_object")
    arrival.ended_at = values.instant(fields.get("ended_at"))
    if unknown := sorted(str(name) for name in set(fields) - FIELDS):
        raise Refused("arrival.sidecar_unknown_fields", names=unknown)
    sha256 = _text(fields, "sha256")
    if sha256 and not SHA256.fullmatch(sha256):
        raise Refused("arrival.sidecar_field", name="sha256")
    counts = {name: _count(fields, name) for name in COUNTS}
    return ArrivalFacts(_space(arrival, fields, counts), counts["size"], sha256)


def _space(arrival: Arrival, fields: dict[str, object], counts: dict[str, int | None]) -> NewSpace:
    if "ended_at" not in fields:
        raise Refused("arrival.sidecar_lacks", name="ended_at")
    ended_at = values.instant(fields["ended_at"])
    if ended_at is None:
        raise Refused("arrival.sidecar_field", name="ended_at")
    title, audience = _text(fields, "title"), _text(fields, "audience")
    if audience not in Space.Audience.values:
        raise Refused("arrival.sidecar_field", name="audience")
    if not isinstance(fields.get("transcribe", False), bool):
        raise Refused("arrival.sidecar_field", name="transcribe")
    cohosts = list(_people(fields, "cohosts", Participant.Role.COHOST))
    speakers = list(_people(fields, "speakers", Participant.Role.SPEAKER))
    listeners = (counts["listeners_peak"], counts["listeners_total"])
    validate_facts(title, [one.name for one in cohosts], [one.name for one in speakers], listeners)
    return NewSpace(
        host=recorders.find_host(arrival.recorder, _text(fields, "host") or None),
        ended_at=validate_ended_at(ended_at),
        title=title,
        audience=audience,
        participants=[*cohosts, *speakers],
        listeners_peak=listeners[0],
        listeners_total=listeners[1],
        transcribe=bool(fields.get("transcribe", False)),
        recorder=arrival.recorder,
    )


def _text(fields: dict[str, object], name: str) -> str:
    """Return a text that the database can store. Raises Refused for anything else."""
    value = fields.get(name, "")
    if not isinstance(value, str) or "\x00" in value or any("\ud800" <= letter <= "\udfff" for letter in value):
        raise Refused("arrival.sidecar_field", name=name)
    return value


def _count(fields: dict[str, object], name: str) -> int | None:
    value = fields.get(name)
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**63:
        raise Refused("arrival.sidecar_field", name=name)
    return value


def _people(fields: dict[str, object], name: str, role: str) -> Iterator[ParticipantSpec]:
    """Yield participants. Each is a name, or {"name": ..., "account": a user name here}. Raises Refused."""
    people = fields.get(name, [])
    if not isinstance(people, list):
        raise Refused("arrival.sidecar_field", name=name)
    for person in people:
        facts = person if isinstance(person, dict) else {"name": person}
        if set(facts) - {"name", "account"} or not isinstance(facts.get("name"), str):
            raise Refused("arrival.sidecar_field", name=name)
        yield ParticipantSpec(role, _text(facts, "name"), _text(facts, "account"))
