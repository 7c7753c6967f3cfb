"""Derive the facts of a Space from the merged events of its room (docs/how-to/receive-from-livekit.md)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from archive import recorders
from archive.errors import Refused
from archive.intake.arrivals.facts import ArrivalFacts
from archive.intake.register import NewSpace, ParticipantSpec
from archive.intake.request import validate_ended_at
from archive.models import Arrival, LiveKitParticipant, Participant, User
from archive.models.space import MAX_COHOSTS, MAX_SPEAKERS

Role = LiveKitParticipant.Role
RANKS = {Role.SPEAKER: 1, Role.COHOST: 2, Role.HOST: 3}


@dataclass(frozen=True)
class Speaker:
    """A person who could speak, in one or more connections."""

    role: Role
    identity: str
    name: str
    account: str


def read(arrival: Arrival) -> ArrivalFacts:
    """Return the facts of the arrival's Space. Raises Refused, TooLate."""
    if arrival.ended_at is None:
        raise Refused("livekit.end_unknown")
    ended_at = validate_ended_at(arrival.ended_at)
    room = arrival.room
    rows = list(room.participants.order_by("joined_at", "sid")) if room else []
    people = _people(row for row in rows if row.role != Role.LISTENER)
    about = room.description if room else {}
    host = _host(arrival, str(about.get("host", "")), people)
    cohosts, speakers = _seats([one for one in people if host.username not in (one.account, one.identity)])
    space = NewSpace(
        host=host,
        ended_at=ended_at,
        title=str(about.get("title") or (room.name if room else "")),
        audience=str(about.get("audience", "")),
        participants=[*_specs(Participant.Role.COHOST, cohosts), *_specs(Participant.Role.SPEAKER, speakers)],
        listeners_peak=peak([row for row in rows if row.role == Role.LISTENER], ended_at) if rows else None,
        transcribe=bool(about.get("transcribe", False)),
        recorder=arrival.recorder,
    )
    return ArrivalFacts(space)


def peak(listeners: Sequence[LiveKitParticipant], ended_at: datetime) -> int:
    """Return the highest number of simultaneous listeners. One whose leaving was not reported stays to the end."""
    changes = []
    for one in listeners:
        left = one.left_at or ended_at
        if one.joined_at is not None and one.joined_at < left:
            changes += [(one.joined_at, 1), (left, -1)]
    most = present = 0
    for _, change in sorted(changes):  # at the same time, listeners leave before others join
        present += change
        most = max(most, present)
    return most


def _people(rows: Iterable[LiveKitParticipant]) -> list[Speaker]:
    """Return one speaker per identity, in the order in which they joined, with their highest role."""
    people: dict[str, Speaker] = {}
    for row in rows:
        before = people.get(row.identity)
        if before is None or RANKS[Role(row.role)] > RANKS[before.role]:
            people[row.identity] = Speaker(Role(row.role), row.identity, row.name, row.account)
    return list(people.values())


def _host(arrival: Arrival, named: str, people: Sequence[Speaker]) -> User:
    """Return the host that the room's metadata names, or the participant with the role, or the token's only host.
    Raises Refused."""
    hosts = [one.account or one.identity for one in people if one.role == Role.HOST]
    return recorders.find_host(arrival.recorder, named or (hosts[0] if hosts else None))


def _seats(people: Sequence[Speaker]) -> tuple[list[Speaker], list[Speaker]]:
    """Return (co-hosts, speakers). Surplus co-hosts become speakers, and at most ten speakers are listed."""
    leading = [one for one in people if one.role in (Role.HOST, Role.COHOST)]
    cohosts = leading[:MAX_COHOSTS]
    return cohosts, [one for one in people if one not in cohosts][:MAX_SPEAKERS]


def _specs(role: str, people: Sequence[Speaker]) -> list[ParticipantSpec]:
    """Make participants. Links an account only if the application named it: an identity may be anything, even another
    person's user name here."""
    return [ParticipantSpec(role, one.name, one.account) for one in people]
