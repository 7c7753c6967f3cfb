"""Events that LiveKit failed to deliver are found by polling it (ListEgress), over HTTP and with a real token."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from livekit.protocol.egress import EgressStatus

from archive import recorders, tasks
from archive.models import Arrival, RecorderToken, Space, User
from tests.support.arrivals import run_until_idle
from tests.support.livekit import (
    LiveKitServer,
    RoomScript,
    an_hour_ago,
    egress_bucket,
    put_recording,
    receive,
    switch_on,
)

pytestmark = pytest.mark.usefixtures("bucket")


@pytest.fixture
def token(db: None, alice: User, admin: User, settings: Any) -> RecorderToken:
    made, _ = recorders.create_token("livekit", 30, admin, [alice])
    switch_on(settings, made)
    return made


@pytest.mark.usefixtures("token")
def test_an_end_that_never_came_is_found(tone: Path, settings: Any) -> None:
    script = RoomScript(an_hour_ago())
    put_recording(egress_bucket(), script.path, tone)
    for event in (script.joined("alice", 600, "host"), script.joined("bo", 500), script.started()):
        receive(event)  # egress_ended and room_finished get lost

    with LiveKitServer(script.info()) as livekit:
        settings.LIVEKIT_URL = livekit.url
        tasks.poll_livekit()
        run_until_idle()
        tasks.poll_livekit()
        run_until_idle()

    assert livekit.requests == 2
    space = Space.objects.get()
    assert (space.state, space.title, space.ended_at) == ("available", "Seed swap", script.ended_at)
    assert list(space.participants.values_list("role", "name")) == [("host", "Alice"), ("speaker", "Bo")]


def test_an_egress_of_which_no_event_came_is_found(token: RecorderToken, settings: Any) -> None:
    with LiveKitServer(RoomScript(an_hour_ago()).info()) as livekit:
        settings.LIVEKIT_URL = livekit.url
        tasks.poll_livekit()

    arrival = Arrival.objects.get()
    assert (arrival.state, arrival.recorder, arrival.room and arrival.room.sid) == ("pending", token, "RM_1")


@pytest.mark.usefixtures("token")
def test_every_page_is_read(settings: Any) -> None:
    with LiveKitServer(*(RoomScript(an_hour_ago(), number).info() for number in range(5)), page=2) as livekit:
        settings.LIVEKIT_URL = livekit.url
        tasks.poll_livekit()

    assert (livekit.requests, Arrival.objects.count()) == (3, 5)


@pytest.mark.usefixtures("token")
def test_an_egress_that_runs_is_only_noted(settings: Any) -> None:
    with LiveKitServer(RoomScript(an_hour_ago()).info(EgressStatus.EGRESS_ACTIVE)) as livekit:
        settings.LIVEKIT_URL = livekit.url
        tasks.poll_livekit()

    assert Arrival.objects.get().state == "waiting"


@pytest.mark.usefixtures("token")
@pytest.mark.parametrize("status", [500, 401])
def test_a_livekit_that_fails_is_asked_again(settings: Any, status: int) -> None:
    with LiveKitServer(RoomScript(an_hour_ago()).info(), status=status) as livekit:
        settings.LIVEKIT_URL = livekit.url
        tasks.poll_livekit()
        assert not Arrival.objects.exists()
        livekit.status = 200
        tasks.poll_livekit()

    assert Arrival.objects.get().state == "pending"


@pytest.mark.usefixtures("token")
def test_a_livekit_that_is_gone_does_no_harm(settings: Any) -> None:
    settings.LIVEKIT_URL = "http://127.0.0.1:1"

    tasks.poll_livekit()

    assert not Arrival.objects.exists()


def test_a_token_that_does_not_work_asks_nothing(token: RecorderToken, admin: User, settings: Any) -> None:
    recorders.revoke(token.pk, admin)
    with LiveKitServer(RoomScript(an_hour_ago()).info()) as livekit:
        settings.LIVEKIT_URL = livekit.url
        tasks.poll_livekit()

    assert (livekit.requests, Arrival.objects.count()) == (0, 0)


@pytest.mark.usefixtures("token")
def test_without_an_address_nothing_is_asked_and_an_end_that_never_comes_is_an_error() -> None:
    receive(RoomScript(an_hour_ago()).started())
    tasks.poll_livekit()
    assert Arrival.objects.get().state == "waiting"

    Arrival.objects.update(created_at=timezone.now() - timedelta(days=3, minutes=1))
    tasks.poll_livekit()

    arrival = Arrival.objects.get()
    assert (arrival.state, arrival.problem_code) == ("refused", "livekit.egress_lost")
