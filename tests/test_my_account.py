"""The account page: name, time zone, and which notices are mailed."""

import json

import pytest

from archive.models import Notice, User
from archive.notices.outbox import make_notice
from tests.support.factory import make_row
from tests.support.http_clients import make_client
from tests.support.mail_server import Mailbox, give_address

pytestmark = pytest.mark.django_db
FORM = {"display_name": " Alice  <3> ", "time_zone": "Europe/Berlin", "mailed_kinds": ["flagged", "bundle-ready"]}


def test_name_zone_and_mail_are_stored(alice: User) -> None:
    client = make_client(alice)

    page = client.post("/account/", FORM, follow=True).content.decode()

    alice.refresh_from_db()
    assert (alice.display_name, alice.time_zone, alice.time_zone_chosen) == ("Alice <3>", "Europe/Berlin", True)
    assert sorted(alice.unmailed_kinds) == [
        "appeal-denied",
        "bundle-failed",
        "deleted",
        "hold-placed",
        "hold-released",
        "lifted",
    ]
    assert 'value="Alice &lt;3&gt;"' in page
    assert '<option value="Europe/Berlin" selected>' in page


def test_a_chosen_zone_is_not_replaced_by_the_browsers(alice: User) -> None:
    client = make_client(alice)
    client.cookies["zone"] = "Asia/Tokyo"
    client.get("/account/")
    alice.refresh_from_db()
    assert alice.time_zone == "Asia/Tokyo"

    client.post("/account/", FORM)
    client.get("/account/")

    alice.refresh_from_db()
    assert alice.time_zone == "Europe/Berlin"
    client.post("/account/", {**FORM, "time_zone": ""})
    client.get("/account/")
    alice.refresh_from_db()
    assert alice.time_zone == "Asia/Tokyo"


def test_unwanted_kinds_stay_on_the_page_and_reminders_are_mailed(alice: User, mailbox: Mailbox) -> None:
    make_client(give_address(alice)).post("/account/", FORM)
    alice.refresh_from_db()
    space = make_row(alice)

    states = {kind: str(make_notice(kind, alice, space).state) for kind in Notice.Kind}

    assert states == {
        "bundle-ready": "pending",
        "bundle-failed": "web-only",
        "flagged": "pending",
        "lifted": "web-only",
        "appeal-denied": "web-only",
        "due-7-days": "pending",
        "due-1-day": "pending",
        "deleted": "web-only",
        "hold-review": "pending",
        "hold-placed": "web-only",
        "hold-released": "web-only",
    }


def test_reminders_can_not_be_switched_off_by_hand(alice: User, mailbox: Mailbox) -> None:
    give_address(alice)
    User.objects.filter(pk=alice.pk).update(unmailed_kinds=["due-7-days", "due-1-day"])
    alice.refresh_from_db()

    assert str(make_notice(Notice.Kind.DUE_7_DAYS, alice, make_row(alice)).state) == "pending"


@pytest.mark.parametrize(
    "changes", [{"time_zone": "Moon/Tycho"}, {"display_name": "x" * 151}, {"mailed_kinds": ["everything"]}]
)
def test_wrong_settings_change_nothing(changes: dict[str, object], alice: User) -> None:
    answer = make_client(alice).post("/account/", {**FORM, **changes})

    alice.refresh_from_db()
    assert (answer.status_code, alice.display_name, alice.time_zone) == (422, "Alice", "")


def test_the_download_has_what_is_known_and_no_secret(alice: User, bob: User) -> None:
    make_row(alice, title="Seeds")
    make_row(bob, title="Others")

    answer = make_client(alice).get("/account/my-data.json")

    text = answer.content.decode()
    assert json.loads(text)["account"]["username"] == "alice"
    assert ("Seeds" in text, "Others" in text) == (True, False)
    alice.refresh_from_db()
    assert alice.password not in text
    assert answer["Content-Disposition"] == 'attachment; filename="my-data.json"'
