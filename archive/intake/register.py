"""Announcing a Space: its row in `receiving`, its deadline, who spoke, and the log entry that says so."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from archive import log, policy
from archive.log import Actor, events
from archive.models import Participant, RecorderToken, Space, User, current_policy


class ParticipantSpec(NamedTuple):
    """A co-host or a speaker. `user`: their account here, which lets them have their own words."""

    role: str  # Participant.Role
    name: str
    user: User | None = None


def participant_specs(role: str, names: Sequence[str]) -> list[ParticipantSpec]:
    """People who are known by name only."""
    return [ParticipantSpec(role, name) for name in names]


@dataclass(frozen=True)
class NewSpace:
    """What is known of a Space before a byte of it came. `ended_at` and the words were checked before
    (archive/intake/request.py). The host need not be among `participants`, whose order gives them their seats."""

    host: User
    ended_at: datetime
    title: str = ""
    audience: str = ""
    participants: Sequence[ParticipantSpec] = ()
    listeners_peak: int | None = None
    listeners_total: int | None = None
    transcribe: bool = False
    recorder: RecorderToken | None = None
    fingerprint: str = ""


def register_space(opening: NewSpace, actor: Actor) -> Space:
    """A new Space in `receiving`, in the caller's transaction."""
    host, recorder = opening.host, opening.recorder
    due = policy.deadline(policy.Facts(opening.ended_at), current_policy())
    space = Space.objects.create(
        host=host,
        title=opening.title.replace("\x00", ""),
        audience=opening.audience,
        ended_at=opening.ended_at,
        expires_at=due.at,
        deadline_reasons=due.reasons_as_json(),
        listeners_peak=opening.listeners_peak,
        listeners_total=opening.listeners_total,
        transcribe=opening.transcribe,
        recorder=recorder,
        fingerprint=opening.fingerprint,
    )
    _seat(space, [ParticipantSpec(Participant.Role.HOST, host.display_name, host), *opening.participants])
    log.record(
        events.SPACE_REGISTERED,
        space_id=space.id,
        actor=actor,
        host=host.pk,
        ended_at=log.rfc3339(opening.ended_at),
        deadline=log.rfc3339(due.at),
        deadline_reasons=list(due.codes),
        policy=vars(current_policy()),
        title=log.commitment(space.salt, space.title),
        **({"recorder": str(recorder.pk)} if recorder else {}),
    )
    return space


def _seat(space: Space, participants: Sequence[ParticipantSpec]) -> None:
    taken: dict[str, int] = {}
    rows = []
    for role, name, user in participants:
        taken[role] = taken.get(role, 0) + 1
        rows.append(Participant(space=space, role=role, seat=taken[role], name=name.strip()[:100], user=user))
    Participant.objects.bulk_create(rows)
