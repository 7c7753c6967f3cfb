"""Merge LiveKit's events into rows: one for each session of a room, each connection to it, and each egress.

LiveKit repeats events that we did not answer, in any order, and stops after a while. So each event only adds: times by
minimum and maximum, roles by rank, names and descriptions by the time LiveKit sent them. The result does not depend on
order or repetition. The Space is registered LIVEKIT_WAIT_SECONDS after the end of the egress, so that late events of
its room count; still later ones change no Space.

Of listeners we store neither identity nor name, only when they came and left, to count how many there were at a time.
"""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models.functions import Now
from livekit.protocol.egress import EgressInfo, EgressStatus
from livekit.protocol.models import ParticipantInfo, Room
from livekit.protocol.webhook import WebhookEvent

from archive import lifecycle, wakeups
from archive.errors import SpacekeepError, make_problem
from archive.intake.importers import values
from archive.intake.uploads.sessions import Uploader
from archive.models import Arrival, LiveKitParticipant, LiveKitRoom, RecorderToken, Space

Role = LiveKitParticipant.Role
RANKS = {Role.LISTENER: 0, Role.SPEAKER: 1, Role.COHOST: 2, Role.HOST: 3}
NOT_PEOPLE = (ParticipantInfo.Kind.EGRESS, ParticipantInfo.Kind.AGENT)
HAS_FILE = (EgressStatus.EGRESS_COMPLETE, EgressStatus.EGRESS_LIMIT_REACHED)
HAS_NONE = (EgressStatus.EGRESS_FAILED, EgressStatus.EGRESS_ABORTED)
LONGEST_KEY = 1024  # bytes, S3's limit


def apply(event: WebhookEvent, recorder: RecorderToken) -> None:
    """Merge one event, in any order with others. Ignores events that are not about a Space."""
    with transaction.atomic():
        room = _merge_room(event.room, max(event.created_at, 0), recorder) if event.room.sid else None
        if event.event in ("participant_joined", "participant_left") and room is not None:
            _merge_participant(room, event)
        if event.event.startswith("egress_") and event.egress_info.egress_id.strip():
            record_egress(event.egress_info, recorder)


def record_egress(info: EgressInfo, recorder: RecorderToken) -> None:
    """Create the arrival of an egress, and move it to `pending` or `refused` once the egress has ended. Does not change
    an arrival in a later state."""
    with transaction.atomic():
        room = None
        if info.room_id:
            room = _merge_room(Room(sid=info.room_id, name=info.room_name), 0, recorder)
        arrival, _ = Arrival.objects.get_or_create(
            source=Arrival.Source.LIVEKIT,
            source_id=values.text(info.egress_id, 100),
            version="",
            defaults={"recorder": recorder, "room": room},
        )
        if arrival.state == Arrival.State.WAITING and info.status in (*HAS_FILE, *HAS_NONE):
            _end(arrival, info)


def _end(arrival: Arrival, info: EgressInfo) -> None:
    """Move a waiting arrival to `pending` or `refused`."""
    by = Uploader(recorder=arrival.recorder)
    files = [*info.file_results, *([info.file] if info.file.filename else [])]
    path = files[0].filename if files else ""
    problem = None
    if info.status in HAS_NONE or not path:
        reason = values.text(info.error, 200) or EgressStatus.Name(info.status)
        problem = make_problem("livekit.egress_failed", reason=reason)
    elif not is_key_allowed(path):
        problem = make_problem("livekit.key_not_allowed", prefix=settings.LIVEKIT_PREFIX)
    if problem is not None:
        lifecycle.transition(
            arrival,
            Arrival.State.WAITING,
            Arrival.State.REFUSED,
            actor=by.actor,
            detail=by.detail,
            problem=problem,
            settled=True,
        )
        return
    lifecycle.transition(
        arrival,
        Arrival.State.WAITING,
        Arrival.State.PENDING,
        actor=by.actor,
        detail={"source": arrival.source, **by.detail},
        path=path,
        ended_at=values.instant(info.ended_at or files[0].ended_at),
        retry_at=Now() + timedelta(seconds=settings.LIVEKIT_WAIT_SECONDS),
    )
    wakeups.wake(Arrival, arrival.pk)


def is_key_allowed(key: str) -> bool:
    """Return whether an event may name this key: below LIVEKIT_PREFIX, and without parts that a file system would
    interpret."""
    parts = key.split("/")
    return (
        key.startswith(settings.LIVEKIT_PREFIX)
        and not {".", "..", ""} & set(parts)
        and key.isprintable()
        and len(key.encode()) <= LONGEST_KEY
    )


def _merge_room(room: Room, created_at: int, recorder: RecorderToken) -> LiveKitRoom:
    """Return the room's row, locked until the transaction ends. `created_at`: of the event, in seconds; 0: unknown."""
    sid, name = values.text(room.sid, 100), values.text(room.name)
    LiveKitRoom.objects.get_or_create(sid=sid, defaults={"recorder": recorder, "name": name})
    row = LiveKitRoom.objects.select_for_update().get(sid=sid)
    description = _description(room.metadata)
    changes: dict[str, Any] = {"last_event_at": Now()}
    if description and (created_at, _ordered(description)) > (row.described_at, _ordered(row.description)):
        changes |= {"description": description, "described_at": created_at}
    if name > row.name:  # all events of a session have the same name; an egress may lack it
        changes["name"] = name
    LiveKitRoom.objects.filter(pk=row.pk).update(**changes)
    return row


def _ordered(description: dict[str, Any]) -> str:
    return json.dumps(description, sort_keys=True)


def _description(metadata: str) -> dict[str, Any]:
    """Return the facts of the Space in the room's metadata: {"spacekeep": {"title", "host", "audience", "transcribe"}}.
    The rest belongs to the application, and is not stored."""
    try:
        about = values.dig(values.document(metadata.encode(), "metadata"), "spacekeep")
    except (SpacekeepError, UnicodeEncodeError):
        return {}
    if not isinstance(about, dict):
        return {}
    description: dict[str, Any] = {
        "title": values.text(about.get("title")),
        "host": values.text(about.get("host"), 150),
        "audience": about.get("audience") if about.get("audience") in Space.Audience.values else "",
        "transcribe": about.get("transcribe") is True,
    }
    return {name: value for name, value in description.items() if value}


def _merge_participant(room: LiveKitRoom, event: WebhookEvent) -> None:
    person = event.participant
    if not person.sid or person.kind in NOT_PEOPLE or person.permission.hidden or person.permission.recorder:
        return
    row, _ = LiveKitParticipant.objects.get_or_create(room=room, sid=values.text(person.sid, 100))
    joined, left = _moment(person.joined_at), None
    if event.event == "participant_joined":
        joined = joined or _moment(event.created_at)
    else:
        left = _moment(event.created_at)
    row.joined_at = min((one for one in (row.joined_at, joined) if one), default=None)
    row.left_at = max((one for one in (row.left_at, left) if one), default=None)
    role = role_of(person)
    row.role = max(row.role, role, key=lambda one: RANKS[Role(one)])
    if role != Role.LISTENER:
        _merge_names(row, person, max(event.created_at, 0))
    row.save()


def role_of(person: ParticipantInfo) -> Role:
    """Return the attribute `spacekeep.role`, if it is one of ours; otherwise speaker for those who may publish."""
    role = person.attributes.get("spacekeep.role", "")
    if role in Role.values:
        return Role(role)
    return Role.SPEAKER if person.permission.can_publish else Role.LISTENER


def _merge_names(row: LiveKitParticipant, person: ParticipantInfo, created_at: int) -> None:
    account = person.attributes.get("spacekeep.account", "")
    names = (
        values.text(person.identity, 255),
        values.text(person.name or person.identity, 100),
        values.text(account, 150),
    )
    if (created_at, *names) > (row.named_at, row.identity, row.name, row.account):
        row.named_at, (row.identity, row.name, row.account) = created_at, names


def _moment(seconds: int) -> datetime | None:
    return datetime.fromtimestamp(seconds, UTC) if 0 < seconds < 2**32 else None
