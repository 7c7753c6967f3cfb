"""Register a Space: its row in `receiving`, its deadline, its participants and the log entry."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from archive import log, policy, search
from archive.log import Actor, events
from archive.models import Participant, RecorderToken, Space, User, current_policy
from archive.own_lines import find_accounts


class ParticipantSpec(NamedTuple):
    """A co-host or a speaker. `account`: their user name, if any, which lets them download their own lines."""

    role: str  # Participant.Role
    name: str
    account: str = ""


def participant_specs(role: str, names: Sequence[str]) -> list[ParticipantSpec]:
    """Return participants without accounts."""
    return [ParticipantSpec(role, name) for name in names]


@dataclass(frozen=True)
class NewSpace:
    """The facts of a Space before anything was uploaded. The caller must validate them (archive/intake/request.py).

    The order of `participants` determines their seats. The host need not be among them. `host_name` is the host's name
    in the transcript, if it isn't their display name: it finds the host's own lines.
    """

    host: User
    ended_at: datetime
    title: str = ""
    audience: str = ""
    participants: Sequence[ParticipantSpec] = ()
    listeners_peak: int | None = None
    listeners_total: int | None = None
    transcribe: bool = False
    host_name: str = ""
    recorder: RecorderToken | None = None
    fingerprint: str = ""


def register_space(new: NewSpace, actor: Actor) -> Space:
    """Create a Space in `receiving`, in the caller's transaction."""
    host, recorder = new.host, new.recorder
    due = policy.deadline(policy.Facts(new.ended_at), current_policy())
    space = Space.objects.create(
        host=host,
        title=new.title.replace("\x00", ""),
        audience=new.audience,
        ended_at=new.ended_at,
        expires_at=due.at,
        deadline_reasons=due.reasons_as_json(),
        listeners_peak=new.listeners_peak,
        listeners_total=new.listeners_total,
        transcribe=new.transcribe,
        recorder=recorder,
        fingerprint=new.fingerprint,
    )
    host_spec = ParticipantSpec(Participant.Role.HOST, new.host_name.strip() or host.display_name, host.username)
    _create_participants(space, [host_spec, *new.participants])
    search.index_spaces(space.pk)
    log.record(
        events.SPACE_REGISTERED,
        space_id=space.id,
        actor=actor,
        host=host.pk,
        ended_at=log.rfc3339(new.ended_at),
        deadline=log.rfc3339(due.at),
        deadline_reasons=list(due.codes),
        policy=vars(current_policy()),
        title=log.commitment(space.salt, space.title),
        **({"recorder": str(recorder.pk)} if recorder else {}),
    )
    return space


def _create_participants(space: Space, participants: Sequence[ParticipantSpec]) -> None:
    seats: dict[str, int] = {}
    rows = []
    accounts = find_accounts(account for _, _, account in participants)
    for role, name, account in participants:
        seats[role] = seats.get(role, 0) + 1
        place = {"role": role, "seat": seats[role]}
        user = accounts.get(account)
        rows.append(Participant(space=space, **place, name=name.strip()[:100], account=account, user=user))
    Participant.objects.bulk_create(rows)
