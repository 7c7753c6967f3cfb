"""Which events webhooks get, with which data: written in the transaction of the change, and for the right endpoints."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction

from archive import dbtime, webhooks
from archive.log import rfc3339
from archive.models import (
    Appeal,
    DeletionCertificate,
    LogEntry,
    Space,
    User,
    WebhookDelivery,
    WebhookEndpoint,
)
from archive.moderation import appeals, violations
from archive.notices import create_reminders
from archive.retention import certificate, purge
from archive.webhooks import endpoints
from archive.webhooks.deliver import make_payload
from tests.support.factory import make_held, make_row, make_space, make_user
from tests.support.rows import update_space
from tests.support.webhook_receiver import announce, subscribe

pytestmark = pytest.mark.usefixtures("db")
URL = "https://example.org/events"


@pytest.fixture
def bea() -> User:
    """Another admin."""
    return make_user("bea", role="admins")


@pytest.fixture
def endpoint(admin: User, bea: User) -> WebhookEndpoint:
    return subscribe(URL, admin)[0]


@pytest.fixture
def space(alice: User) -> Space:
    return make_row(alice, title="Seeds and beans")


def written() -> list[tuple[str, dict[str, Any]]]:
    """Return the pending events, sorted by type and violation, and delete them."""
    rows = [(row.event, row.data) for row in WebhookDelivery.objects.all()]
    WebhookDelivery.objects.all().delete()
    return sorted(rows, key=lambda row: (row[0], row[1].get("violation", 0)))


def test_a_flag_and_its_lift(endpoint: WebhookEndpoint, space: Space, admin: User) -> None:
    violation = violations.flag(space.pk, "spam", "Alice sold watches.", admin)
    space.refresh_from_db()
    flagged = {"space": str(space.pk), "deadline": rfc3339(space.expires_at), "violation": violation.pk, "rule": "spam"}
    assert written() == [("space.flagged", {**flagged, "rule_version": 1})]

    violations.lift(space.pk, "Alice sold none.", admin)

    space.refresh_from_db()
    assert rfc3339(space.expires_at) != flagged["deadline"]
    assert written() == [("space.flag_lifted", {**flagged, "deadline": rfc3339(space.expires_at)})]


def test_a_lift_of_two_flags_decides_an_appeal(endpoint: WebhookEndpoint, space: Space, admin: User, bea: User) -> None:
    first = violations.flag(space.pk, "spam", "Watches.", admin)
    second = violations.flag(space.pk, "hate", "Words.", admin)
    appeal = appeals.appeal(second.pk, "No.", space.host)
    written()

    violations.lift(space.pk, "Neither.", bea)

    events = [(event, data["violation"], data["rule"], data.get("decision")) for event, data in written()]
    assert events == [
        ("appeal.decided", second.pk, "hate", "granted"),
        ("space.flag_lifted", first.pk, "spam", None),
        ("space.flag_lifted", second.pk, "hate", None),
    ]
    assert Appeal.objects.get(pk=appeal.pk).state == "granted"


@pytest.mark.parametrize(
    ("granted", "expected"),
    [
        (True, [("appeal.decided", "granted"), ("space.flag_lifted", None)]),
        (False, [("appeal.decided", "denied")]),
    ],
)
def test_an_appeal(
    endpoint: WebhookEndpoint,
    space: Space,
    admin: User,
    bea: User,
    granted: bool,
    expected: list[tuple[str, str | None]],
) -> None:
    violation = violations.flag(space.pk, "spam", "Watches.", admin)
    appeal = appeals.appeal(violation.pk, "These were beans.", space.host)
    written()

    appeals.decide(appeal.pk, "Seen.", bea, granted=granted)

    space.refresh_from_db()
    events = written()
    assert [(event, data.get("decision")) for event, data in events] == expected
    assert events[0][1] == {
        "space": str(space.pk),
        "deadline": rfc3339(space.expires_at),
        "violation": violation.pk,
        "rule": "spam",
        "appeal": appeal.pk,
        "decision": expected[0][1],
    }


def test_reminders(endpoint: WebhookEndpoint, alice: User) -> None:
    """Two for each deadline."""
    space = make_row(alice, ended_ago=timedelta(days=24))
    facts = {"space": str(space.pk), "deadline": rfc3339(space.expires_at)}
    create_reminders()
    create_reminders()
    assert written() == [("space.due", {**facts, "within_days": 7})]

    update_space(space, expires_at=dbtime.now() + timedelta(hours=20))
    create_reminders()

    facts["deadline"] = rfc3339(Space.objects.get().expires_at)
    assert written() == [("space.due", {**facts, "within_days": 1})]


def test_a_deletion(endpoint: WebhookEndpoint, alice: User, admin: User) -> None:
    """Pending events about the Space are deleted, except the one about its deletion."""
    space = make_space(alice)
    violations.flag(space.pk, "spam", "Watches.", admin)
    assert WebhookDelivery.objects.count() == 1
    update_space(space, expires_at=dbtime.now())

    purge.purge(space.pk)

    proof, gone = DeletionCertificate.objects.get(), Space.objects.get(pk=space.pk)
    assert written() == [
        (
            "space.deleted",
            {
                "space": str(space.pk),
                "deadline": rfc3339(gone.expires_at),
                "deleted_at": rfc3339(gone.deleted_at),
                "certificate": certificate.digest(proof),
            },
        )
    ]


@pytest.mark.parametrize("state", ["available", "expiring"])
def test_an_overdue_deletion_is_announced_once(endpoint: WebhookEndpoint, space: Space, state: str) -> None:
    late = dbtime.now() - timedelta(minutes=14)
    update_space(space, expires_at=late, state=state)
    assert webhooks.announce_overdue() == 0
    late -= timedelta(minutes=2)
    update_space(space, expires_at=late)

    assert (webhooks.announce_overdue(), webhooks.announce_overdue()) == (1, 0)

    assert written() == [("space.overdue", {"space": str(space.pk), "deadline": rfc3339(late)})]


def test_spaces_on_hold_and_deleted_ones_are_never_overdue(endpoint: WebhookEndpoint, alice: User) -> None:
    make_held(alice, ended_ago=timedelta(days=40))
    gone = make_space(alice)
    update_space(gone, expires_at=dbtime.now() - timedelta(days=1))
    purge.purge(gone.pk)

    assert webhooks.announce_overdue() == 0


def test_no_event_has_a_name_or_a_text(
    endpoint: WebhookEndpoint, space: Space, alice: User, admin: User, bea: User
) -> None:
    alice.first_name = "Alice Quagga"
    alice.save()
    violation = violations.flag(space.pk, "spam", "Okapi sold watches.", admin)
    appeal = appeals.appeal(violation.pk, "Narwhal sold none.", space.host)
    appeals.decide(appeal.pk, "Zebra did.", bea, granted=True)
    create_reminders()
    update_space(space, expires_at=dbtime.now())
    purge.purge(space.pk)
    payloads = " ".join(make_payload(row).decode() for row in WebhookDelivery.objects.all())

    for word in ("alice", "quagga", "okapi", "narwhal", "zebra", "seeds", "beans", "ada", "bea", "http"):
        assert word not in payloads.lower()


def test_a_change_that_is_rolled_back_announces_nothing(endpoint: WebhookEndpoint, space: Space, admin: User) -> None:
    with transaction.atomic():
        violations.flag(space.pk, "spam", "Watches.", admin)
        transaction.set_rollback(True)

    assert written() == []


def test_announcing_twice_adds_nothing(endpoint: WebhookEndpoint, space: Space) -> None:
    assert announce(space) == announce(space)


def test_only_endpoints_that_want_an_event_and_work_get_it(space: Space, admin: User, bea: User) -> None:
    """An admin may see every Space, so a former admin must get no more events about them."""
    wants = subscribe(URL, admin, ["space.flagged"], "wants")[0]
    subscribe(URL, admin, ["space.deleted"], "wants another")
    endpoints.stop(subscribe(URL, admin, name="stopped")[0].pk, admin)
    former, inactive = make_user("cleo", role="admins"), make_user("dora", role="admins")
    subscribe(URL, former, name="former admin")
    subscribe(URL, inactive, name="inactive")
    former.groups.clear()
    User.objects.filter(pk=inactive.pk).update(is_active=False)

    violations.flag(space.pk, "spam", "Watches.", bea)

    assert [row.endpoint_id for row in WebhookDelivery.objects.all()] == [wants.pk]


def test_old_deliveries_are_deleted(endpoint: WebhookEndpoint, space: Space) -> None:
    kept, old = announce(space, 1), announce(space, 2)
    WebhookDelivery.objects.filter(pk=kept.pk).update(created_at=dbtime.now() - timedelta(days=29, hours=23))
    WebhookDelivery.objects.filter(pk=old.pk).update(created_at=dbtime.now() - timedelta(days=30, minutes=1))

    assert webhooks.delete_old() == 1

    assert WebhookDelivery.objects.get() == kept


def test_no_entry_of_the_log_has_the_address(space: Space, admin: User) -> None:
    endpoint, secret = subscribe("https://hooks.example.org/T0KEN", admin)
    endpoints.change(endpoint.pk, "Desk 2", "https://hooks.example.org/T1KEN", ["space.due"], admin)
    endpoints.replace_secret(endpoint.pk, admin)
    endpoints.stop(endpoint.pk, admin)
    endpoints.start(endpoint.pk, admin)
    endpoints.remove(endpoint.pk, admin)

    entries = list(LogEntry.objects.filter(event__startswith="webhook.").order_by("id"))

    assert [(entry.event, entry.actor_id) for entry in entries] == [
        ("webhook.created", admin.pk),
        ("webhook.changed", admin.pk),
        ("webhook.secret_replaced", admin.pk),
        ("webhook.stopped", admin.pk),
        ("webhook.started", admin.pk),
        ("webhook.removed", admin.pk),
    ]
    assert {entry.detail["webhook"] for entry in entries} == {str(endpoint.pk)}
    assert entries[1].detail["fields"] == ["events", "name", "url"]
    details = str([entry.detail for entry in entries])
    for secret_text in ("hooks", "KEN", "Desk", secret):
        assert secret_text not in details
