"""LiveKit events that arrive in any order, twice or late give the same rows and the same facts of the Space."""

import itertools
import random
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone
from livekit.protocol.egress import EgressStatus
from livekit.protocol.models import ParticipantInfo
from livekit.protocol.webhook import WebhookEvent

from archive import recorders, tasks
from archive.errors import Refused, TooLate
from archive.intake.arrivals import livekit_events, livekit_facts
from archive.models import Arrival, LiveKitParticipant, LiveKitRoom, RecorderToken, User
from tests.support.livekit import RoomScript, an_hour_ago, switch_on

ENDED = datetime(2026, 11, 20, 18, 0, tzinfo=UTC)


@pytest.fixture
def token(db: None, alice: User, bob: User, admin: User, settings: Any) -> RecorderToken:
    made, _ = recorders.create_token("livekit", 30, admin, [alice, bob])
    switch_on(settings, made)
    return made


@pytest.fixture
def script() -> RoomScript:
    return RoomScript(an_hour_ago())


def apply(token: RecorderToken, events: Iterable[WebhookEvent]) -> None:
    for event in events:
        livekit_events.apply(event, token)


def talk(script: RoomScript) -> list[WebhookEvent]:
    """A room with its host, a listener, and a speaker who got permission to publish only after joining."""
    return [
        script.joined("alice", 600, "host"),
        script.joined("ida", 500, publishes=False),
        script.left("ida", 500, 0),
        script.left("zoe", 400, 200, publishes=False),
        script.finished(),
        script.ended(),
    ]


def facts(token: RecorderToken) -> dict[str, Any]:
    """Return everything that the rows contain about the Space."""
    arrival = Arrival.objects.get()
    space = livekit_facts.read(arrival).space
    return {
        "state": arrival.state,
        "ended_at": space.ended_at,
        "host": space.host.username,
        "title": space.title,
        "participants": [(one.role, one.name, one.account) for one in space.participants],
        "peak": space.listeners_peak,
        "rows": (LiveKitRoom.objects.count(), LiveKitParticipant.objects.count(), Arrival.objects.count()),
    }


def expected(script: RoomScript) -> dict[str, Any]:
    return {
        "state": "pending",
        "ended_at": script.ended_at,
        "host": "alice",
        "title": "Seed swap",
        "participants": [("speaker", "Ida", "")],
        "peak": 1,
        "rows": (1, 3, 1),
    }


def check_orders(token: RecorderToken, orders: Iterable[Sequence[int]]) -> int:
    """Send the events in each order, each event twice, and compare the results. Returns the number of orders."""
    count = 0
    for order in orders:
        script = RoomScript(an_hour_ago())
        events = talk(script)
        with transaction.atomic():
            apply(token, [events[number] for number in order])
            assert facts(token) == expected(script), order
            transaction.set_rollback(True)
        count += 1
    return count


def test_events_in_ten_orders_and_each_twice(token: RecorderToken) -> None:
    chance = random.Random(13)
    orders = [chance.sample([*range(6), *range(6)], 12) for _ in range(9)]

    assert check_orders(token, [[*range(6), *reversed(range(6))], *orders]) == 10


@pytest.mark.long
def test_events_in_every_order_and_the_end_twice(token: RecorderToken) -> None:
    orders = ([*order, 5] for order in itertools.permutations(range(6)))

    assert check_orders(token, orders) == 720


def test_a_listener_leaves_no_name(token: RecorderToken, script: RoomScript) -> None:
    apply(token, [script.joined("zoe", 400, publishes=False, attributes={"spacekeep.account": "bob"})])

    row = LiveKitParticipant.objects.get()
    assert (row.role, row.identity, row.name, row.account) == ("listener", "", "", "")


def test_roles_come_from_the_attribute_and_else_from_the_permission(token: RecorderToken, script: RoomScript) -> None:
    apply(
        token,
        [
            script.joined("alice", 600, "host"),
            script.joined("bo", 500, "cohost", publishes=False),
            script.joined("cy", 400, "speaker", publishes=False, attributes={"spacekeep.account": "bob"}),
            script.joined("di", 300, "listener", publishes=True),
            script.joined("ed", 200, "king", publishes=True),
            script.joined("fay", 100, "", publishes=False),
            script.joined("bot", 90, kind=ParticipantInfo.Kind.AGENT),
            script.joined("recorder", 80, kind=ParticipantInfo.Kind.EGRESS),
            script.joined("phone", 70, kind=ParticipantInfo.Kind.SIP),
            script.ended(),
        ],
    )

    seen = facts(token)
    assert seen["participants"] == [
        ("cohost", "Bo", ""),
        ("speaker", "Cy", "bob"),
        ("speaker", "Ed", ""),
        ("speaker", "Phone", ""),
    ]
    assert seen["peak"] == 2


def test_hidden_participants_and_recorders_do_not_count(token: RecorderToken, script: RoomScript) -> None:
    for name in ("hidden", "recorder"):
        event = script.joined(name, 100)
        setattr(event.participant.permission, name, True)
        apply(token, [event])

    assert not LiveKitParticipant.objects.exists()


def test_an_identity_links_no_account(token: RecorderToken, script: RoomScript) -> None:
    """Identities come from the application, and may equal anybody's user name here."""
    apply(token, [script.joined("bob", 100), script.ended()])

    assert facts(token)["participants"] == [("speaker", "Bob", "")]


def test_more_co_hosts_than_seats_are_speakers_and_eleven_speakers_ten(token: RecorderToken) -> None:
    script = RoomScript(an_hour_ago())
    people = [script.joined(f"c{number}", 900 - number, "cohost") for number in range(3)]
    people += [script.joined(f"s{number:02}", 800 - number) for number in range(11)]
    apply(token, [*people, script.ended()])

    names = [(role, name) for role, name, _ in facts(token)["participants"]]
    assert names[:3] == [("cohost", "C0"), ("cohost", "C1"), ("speaker", "C2")]
    assert (len(names), names[-1]) == (12, ("speaker", "S08"))


def test_a_person_with_two_connections_is_one_speaker(token: RecorderToken, script: RoomScript) -> None:
    again = script.joined("ida", 200, name="Ida")
    again.participant.sid = "PA_again"
    apply(token, [script.joined("ida", 500, publishes=False), script.left("ida", 500, 300), again, script.ended()])

    assert facts(token)["participants"] == [("speaker", "Ida", "")]


@pytest.mark.parametrize(
    ("metadata", "role", "host"),
    [
        ('{"spacekeep": {"host": "bob"}}', "host", "bob"),
        ("", "host", "alice"),
        ('{"spacekeep": []}', "host", "alice"),
        ("not JSON", "host", "alice"),
        ("[" * 100_000, "host", "alice"),
    ],
)
def test_the_host_is_named_by_the_room_and_else_by_the_role(
    token: RecorderToken, metadata: str, role: str, host: str
) -> None:
    script = RoomScript(an_hour_ago(), metadata=metadata)
    apply(token, [script.joined("alice", 100, role), script.ended()])

    assert facts(token)["host"] == host


def test_a_token_of_one_host_needs_no_name(token: RecorderToken, script: RoomScript, bob: User) -> None:
    token.hosts.set([bob])
    plain = RoomScript(an_hour_ago(), metadata="")
    apply(token, [plain.ended(), plain.finished()])

    assert (facts(token)["host"], facts(token)["title"]) == ("bob", "room-1")


def test_without_a_host_it_is_refused(token: RecorderToken) -> None:
    plain = RoomScript(an_hour_ago(), metadata="")
    apply(token, [plain.joined("ida", 100), plain.ended()])

    with pytest.raises(Refused) as refused:
        facts(token)
    assert refused.value.code == "intake.host_missing"


def test_a_host_whom_the_token_does_not_have_is_refused(token: RecorderToken, alice: User) -> None:
    token.hosts.set([alice])
    apply(token, [(script := RoomScript(an_hour_ago(), metadata="")).joined("bob", 100, "host"), script.ended()])

    with pytest.raises(Refused) as refused:
        facts(token)
    assert refused.value.code == "intake.no_such_host"


def test_a_space_that_is_due_is_refused(token: RecorderToken) -> None:
    apply(token, [RoomScript(timezone.now() - timedelta(days=31)).ended()])

    with pytest.raises(TooLate):
        livekit_facts.read(Arrival.objects.get())


def test_the_newest_description_of_a_room_counts(token: RecorderToken, script: RoomScript) -> None:
    old, new = script.event("room_started", 600), script.event("room_finished", 0)
    old.room.metadata = '{"spacekeep": {"title": "Zebras", "audience": "everyone"}}'
    apply(token, [new, old, script.ended()])

    assert facts(token)["title"] == "Seed swap"


def test_an_egress_that_runs_waits_for_its_end(token: RecorderToken, script: RoomScript) -> None:
    apply(token, [script.started()])
    assert Arrival.objects.get().state == "waiting"

    apply(token, [script.ended(), script.started(), script.egress("egress_updated", EgressStatus.EGRESS_ENDING, 1)])
    assert Arrival.objects.get().state == "pending"


def test_a_wait_gives_late_events_their_time(token: RecorderToken, script: RoomScript) -> None:
    before = timezone.now()
    apply(token, [script.ended()])

    retry_at = Arrival.objects.get().retry_at
    assert retry_at is not None
    assert timedelta(seconds=59) < retry_at - before < timedelta(seconds=120)


def test_old_rooms_are_deleted_unless_a_recording_is_to_be_fetched(token: RecorderToken) -> None:
    for number in (1, 2, 3):
        script = RoomScript(an_hour_ago(), number)
        apply(token, [script.joined("zoe", 10, publishes=False), *([script.ended()] if number == 2 else [])])
    LiveKitRoom.objects.exclude(sid="RM_3").update(last_event_at=timezone.now() - timedelta(days=3, minutes=1))

    tasks.dispatch()  # even if LiveKit is no longer configured

    assert list(LiveKitRoom.objects.order_by("sid").values_list("sid", flat=True)) == ["RM_2", "RM_3"]
    assert LiveKitParticipant.objects.count() == 2


def test_old_refused_arrivals_are_deleted(token: RecorderToken) -> None:
    """Their path may contain the room's name, and no Space's deletion would remove them."""
    for days, source_id in ((31, "old"), (29, "young")):
        Arrival.objects.create(
            recorder=token,
            source="livekit",
            source_id=source_id,
            state="refused",
            settled=True,
            problem={"code": "x", "params": {}},
        )
        Arrival.objects.filter(source_id=source_id).update(created_at=timezone.now() - timedelta(days=days))

    tasks.dispatch()

    assert not Arrival.objects.filter(source_id="old").exists()
    assert Arrival.objects.filter(source_id="young").exists()


def test_listeners_of_one_moment_are_counted(token: RecorderToken) -> None:
    """A listener who leaves when another one joins does not overlap with them; one who never left stays until the
    end."""
    room = LiveKitRoom.objects.create(recorder=token, sid="RM_1")
    times: list[tuple[int | None, int | None]] = [(0, 10), (10, 20), (5, None), (15, 15), (None, 3), (30, 20)]
    for number, (joined, left) in enumerate(times):
        LiveKitParticipant.objects.create(
            room=room,
            sid=str(number),
            joined_at=None if joined is None else ENDED + timedelta(seconds=joined),
            left_at=None if left is None else ENDED + timedelta(seconds=left),
        )

    assert livekit_facts.peak(list(room.participants.all()), ENDED + timedelta(seconds=60)) == 2
