"""Lift and hold several Spaces: a preview of each, a fresh sign-in, and a report of each that was refused."""

from datetime import timedelta

import pytest
from django.test import Client

from archive import dbtime
from archive.errors import Refused
from archive.models import Hold, Space, User
from archive.moderation.several import hold_each, lift_each
from archive.moderation.violations import flag
from tests.support.deadlines import retention_period
from tests.support.errors import raises_error
from tests.support.factory import make_row
from tests.support.http_clients import make_client

pytestmark = pytest.mark.usefixtures("db")
CASE = {"case_number": "7 C 12/26", "reason": "A court."}


@pytest.fixture
def client(admin: User) -> Client:
    return make_client(admin)


@pytest.fixture
def flagged(alice: User, bob: User, admin: User) -> list[Space]:
    """Three flagged Spaces, the last of them past its deadline, and one without a flag."""
    spaces = [make_row(host, title=title) for host, title in ((alice, "One"), (bob, "Two"), (bob, "Late"))]
    for space in spaces:
        flag(space.pk, "spam", "Watches.", admin)
    return [*spaces, make_row(alice, title="Clean")]


def ids(spaces: list[Space]) -> dict[str, list[str]]:
    return {"space": [str(space.pk) for space in spaces]}


def test_several_flags_are_lifted(client: Client, flagged: list[Space]) -> None:
    page = client.get("/moderation/lift", ids(flagged)).content.decode()
    assert page.count("The deadline would move from") == 3
    assert "This Space has no flag to lift." in page
    assert client.post("/moderation/lift", ids(flagged) | {"reason": " "}).status_code == 422
    assert not Space.objects.filter(violations__state="lifted").exists()
    Space.objects.filter(title="Late").update(expires_at=dbtime.now() + timedelta(seconds=1))
    Space.objects.filter(title="Late").update(expires_at=dbtime.now())

    answer = client.post("/moderation/lift", ids(flagged) | {"reason": "In error."}, follow=True)

    page = answer.content.decode()
    assert "Lifted the flags of 2 Spaces." in page
    assert "“Clean” was not changed. This Space has no flag to lift." in page
    assert retention_period(flagged[0]) == retention_period(flagged[1]) == timedelta(days=30)


def test_a_repeated_lift_lifts_nothing_more(flagged: list[Space], admin: User) -> None:
    first = lift_each([space.pk for space in flagged[:2]], "In error.", admin)
    again = lift_each([space.pk for space in flagged[:2]], "In error.", admin)

    assert [outcome.error for outcome in first] == [None, None]
    assert [outcome.error and outcome.error.code for outcome in again] == ["violation.none_standing"] * 2


def test_several_are_held_for_one_case(client: Client, flagged: list[Space], admin: User) -> None:
    page = client.get("/moderation/hold", ids(flagged[:2])).content.decode()
    assert page.count("There would be no deadline until the hold is released.") == 2
    assert client.post("/moderation/hold", ids(flagged[:2]) | {"reason": "A court."}).status_code == 422
    day = (dbtime.now().date() + timedelta(days=30)).isoformat()

    client.post("/moderation/hold", ids(flagged[:1]) | CASE | {"review_on": day})
    answer = client.post("/moderation/hold", ids(flagged[:2]) | CASE, follow=True)

    assert "Placed 1 hold." in answer.content.decode()
    assert "“One” was not changed. This Space is on hold for case “7 C 12/26” already." in answer.content.decode()
    holds = Hold.objects.order_by("id").values_list("space__title", "case_number", "placed_by__username")
    assert list(holds) == [("One", "7 C 12/26", "ada"), ("Two", "7 C 12/26", "ada")]
    assert str(Hold.objects.earliest("id").review_on) == day


def test_errors_that_concern_all_are_raised_once(flagged: list[Space], alice: User, admin: User) -> None:
    chosen = [space.pk for space in flagged]

    with raises_error(Refused, "hold.case_missing"):
        hold_each(chosen, "A court.", admin, case_number=" ")
    with raises_error(Refused, "hold.review_not_in_future"):
        hold_each(chosen, "A court.", admin, case_number="A", review_on=dbtime.now().date())
    with raises_error(Refused, "moderation.not_an_admin"):
        hold_each(chosen, "A court.", alice, case_number="A")
    with raises_error(Refused, "violation.none_selected"):
        lift_each([], "In error.", admin)
    with raises_error(Refused, "moderation.reason_missing"):
        lift_each(chosen, "", admin)

    assert not Hold.objects.exists()


@pytest.mark.parametrize("act", ["lift", "hold"])
def test_a_fresh_sign_in_is_needed(client: Client, flagged: list[Space], act: str) -> None:
    session = client.session
    for record in session["account_authentication_methods"]:
        record["at"] -= 24 * 3600
    session.save()

    answer = client.post(f"/moderation/{act}", ids(flagged[:1]) | CASE)

    assert answer["Location"].startswith("/accounts/reauthenticate/")
    assert not Hold.objects.exists()
    assert flagged[0].violations.get().state == "standing"
