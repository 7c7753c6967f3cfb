"""LiveKit webhooks: a request without a recent signature by LiveKit for its body is refused, and stores nothing."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from livekit.protocol.egress import EgressStatus

from archive import recorders
from archive.models import Arrival, LiveKitParticipant, LiveKitRoom, LogEntry, RecorderToken, User
from tests.support.api_client import ApiClient
from tests.support.livekit import PREFIX, RoomScript, an_hour_ago, as_body, post, send, sign, switch_on

pytestmark = pytest.mark.usefixtures("db")

ENDED = RoomScript(an_hour_ago()).ended()
BODY = as_body(ENDED)


@pytest.fixture
def token(db: None, alice: User, admin: User, settings: Any) -> RecorderToken:
    made, _ = recorders.create_token("livekit", 30, admin, [alice])
    switch_on(settings, made)
    return made


def stored() -> int:
    return Arrival.objects.count() + LiveKitRoom.objects.count() + LiveKitParticipant.objects.count()


NOT_AUTHENTIC: dict[str, Callable[[], str | None]] = {
    "none": lambda: None,
    "empty": lambda: "",
    "no token": lambda: "Bearer x",
    "another secret": lambda: sign(BODY, secret="x" * 40),
    "expired": lambda: sign(BODY, ttl=timedelta(minutes=-2)),
    "without an end": lambda: sign(BODY, exp=None),
    "another body": lambda: sign(BODY + b" "),
    "without a hash": lambda: sign(BODY, sha256=""),
    "a hash that is none": lambda: sign(BODY, sha256="%"),
    "a hash that is no text": lambda: sign(BODY, sha256=7),
    "of another key": lambda: sign(BODY, iss="APIother"),
    "not signed at all": lambda: ".".join([*sign(BODY).split(".")[:2], ""]),
    "of the algorithm none": lambda: "eyJhbGciOiJub25lIn0." + sign(BODY).split(".")[1] + ".",
}


@pytest.mark.usefixtures("token")
@pytest.mark.parametrize("name", NOT_AUTHENTIC)
def test_a_request_that_is_not_authentic_is_401_and_stores_nothing(name: str) -> None:
    answer = post(BODY, NOT_AUTHENTIC[name]())

    assert (answer.status, answer.json["code"]) == (401, "livekit.not_authentic")
    assert stored() == 0


@pytest.mark.usefixtures("token")
def test_an_authentic_event_is_stored_once_however_often_it_comes() -> None:
    signed = sign(BODY)

    answers = [post(BODY, signed).status, post(BODY, f"Bearer {signed}").status, send(ENDED).status]

    assert answers == [204, 204, 204]
    arrival = Arrival.objects.get()
    assert (arrival.state, arrival.source_id, arrival.path) == ("pending", "EG_1", "rooms/talk-1.m4a")
    assert list(LogEntry.objects.filter(event__startswith="arrival.").values_list("event", "detail")) == [
        (
            "arrival.announced",
            {"arrival": str(arrival.pk), "source": "livekit", "recorder": str(arrival.recorder_id)},
        )
    ]


def test_without_settings_there_is_no_such_address() -> None:
    answer = post(BODY, sign(BODY))

    assert (answer.status, answer.json["code"], stored()) == (404, "api.not_found", 0)


@pytest.mark.usefixtures("token")
def test_a_large_body_is_not_read() -> None:
    body = b" " * (512 * 1024 + 1)

    assert (post(body, sign(body)).status, stored()) == (413, 0)


@pytest.mark.usefixtures("token")
def test_only_post_is_answered() -> None:
    assert ApiClient().get("/livekit").status == 405


@pytest.mark.usefixtures("token")
@pytest.mark.parametrize(
    "body", [b"text", b"{", b'{"event": 7}', b'{"room": {"sid": {"sid": 1}}}', b"\xff".hex().encode()]
)
def test_a_body_that_is_no_event_is_refused(body: bytes) -> None:
    answer = post(body, sign(body))

    assert (answer.status, answer.json["code"], stored()) == (422, "livekit.not_an_event", 0)


@pytest.mark.usefixtures("token")
def test_unknown_fields_and_events_do_no_harm() -> None:
    body = b'{"event": "room_moved", "brandNew": {"a": [1]}}'

    assert (post(body, sign(body)).status, stored()) == (204, 0)


def test_a_token_that_does_not_work_stores_nothing(token: RecorderToken, admin: User) -> None:
    recorders.revoke(token.pk, admin)

    answer = send(ENDED)

    assert (answer.status, answer.json["code"], stored()) == (403, "livekit.recorder_not_working", 0)


def test_a_token_that_only_downloads_stores_nothing(token: RecorderToken) -> None:
    RecorderToken.objects.filter(pk=token.pk).update(scopes=["bundles"])

    assert (send(ENDED).status, stored()) == (403, 0)


@pytest.mark.usefixtures("token")
@pytest.mark.parametrize(
    "path",
    [
        "talk.m4a",
        "rooms",
        "other/rooms/talk.m4a",
        f"{PREFIX}../spaces/talk.m4a",
        f"{PREFIX}./talk.m4a",
        f"{PREFIX}/talk.m4a",
        f"{PREFIX}a\nb.m4a",
        f"{PREFIX}{'é' * 510}",
        "https://elsewhere.example/rooms/talk.m4a",
        "/etc/passwd",
    ],
)
def test_a_key_outside_of_the_prefix_is_refused(path: str) -> None:
    assert send(RoomScript(an_hour_ago(), path=path).ended()).status == 204

    arrival = Arrival.objects.get()
    assert (arrival.state, arrival.problem_code, arrival.path) == ("refused", "livekit.key_not_allowed", "")


@pytest.mark.usefixtures("token")
@pytest.mark.parametrize("status", [EgressStatus.EGRESS_FAILED, EgressStatus.EGRESS_ABORTED])
def test_an_egress_without_a_recording_is_refused_with_its_reason(status: EgressStatus) -> None:
    script = RoomScript(an_hour_ago(), error="no audio\ntrack")

    send(script.egress("egress_ended", status, 0))

    arrival = Arrival.objects.get()
    assert (arrival.state, arrival.problem) == (
        "refused",
        {"code": "livekit.egress_failed", "params": {"reason": "no audio track"}},
    )
    assert arrival.settled


@pytest.mark.usefixtures("token")
def test_an_egress_at_its_limit_has_a_recording() -> None:
    send(RoomScript(an_hour_ago()).egress("egress_ended", EgressStatus.EGRESS_LIMIT_REACHED, 0))

    assert Arrival.objects.get().state == "pending"
