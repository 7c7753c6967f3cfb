"""Conflicts of interest: who may never decide, through every entry point (pages, commands, the API, Django's admin
site).

Each line of REFUSED is a rule: the account, the act that it may not do, and the code of the refusal. Each test tries
all rules through one entry point.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from io import StringIO
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin as django_admin
from django.core.management import CommandError, call_command
from django.urls import reverse
from pytest_django import Settings

from archive.accounts import roles
from archive.errors import Refused
from archive.models import Appeal, Hold, LogEntry, Space, User, Violation
from archive.moderation import appeals, holds, reviews, several, violations
from portal.api.app import api
from tests.support.factory import make_row, make_user
from tests.support.http_clients import make_client

pytestmark = pytest.mark.usefixtures("db")
REASON = "I looked at it."


@dataclass
class World:
    """`ada` and `bea` are admins, `ada` hosts `own`. `bea` flagged and held both Spaces before `young` became an
    admin."""

    ada: User
    bea: User
    own: Space  # flagged by bea, with an open appeal, and on hold
    other: Space  # hosted by nora, flagged by bea, with an open appeal, and on hold
    young: User

    def appeal(self, space: Space) -> int:
        return Appeal.objects.get(violation__space=space).pk

    def hold(self, space: Space) -> int:
        return space.holds.get().pk


@pytest.fixture
def world() -> World:
    ada, bea, nora = make_user("ada", "admins"), make_user("bea", "admins"), make_user("nora")
    own, other = make_row(ada), make_row(nora)
    for space in (own, other):
        flagged = violations.flag(space.pk, "spam", "Watches.", bea)
        appeals.appeal(flagged.pk, "They were beans.", space.host)
        holds.place(space.pk, "A court.", bea)
    young = make_user("young")
    roles.grant_role(young.pk, "admins", bea)
    return World(ada, bea, own, other, User.objects.get(pk=young.pk))


# All decisions: {act: (domain function, URL and form, arguments of the command)}, each for a world and a Space.
Act = tuple[
    Callable[[World, Space, User], Any],
    Callable[[World, Space], tuple[str, dict[str, Any]]],
    Callable[[World, Space], list[str]] | None,
]
ACTS: dict[str, Act] = {
    "flag": (
        lambda world, space, by: violations.flag(space.pk, "hate", REASON, by),
        lambda world, space: (reverse("flag", args=[space.pk]), {"rule": "hate", "reason": REASON}),
        lambda world, space: ["flag", str(space.pk), "--rule", "hate"],
    ),
    "flag-several": (
        lambda world, space, by: _first_refusal(several.flag_each([space.pk], "hate", REASON, by)),
        lambda world, space: (reverse("flag-several"), {"space": space.pk, "rule": "hate", "reason": REASON}),
        None,
    ),
    "lift": (
        lambda world, space, by: violations.lift(space.pk, REASON, by),
        lambda world, space: (reverse("lift", args=[space.pk]), {"reason": REASON}),
        lambda world, space: ["lift", str(space.pk)],
    ),
    "hold": (
        lambda world, space, by: holds.place(space.pk, REASON, by),
        lambda world, space: (reverse("hold", args=[space.pk]), {"reason": REASON}),
        lambda world, space: ["hold", str(space.pk)],
    ),
    "review": (
        lambda world, space, by: reviews.review(space.pk, by),
        lambda world, space: (reverse("review", args=[space.pk]), {}),
        None,
    ),
    "lift-several": (
        lambda world, space, by: _first_refusal(several.lift_each([space.pk], REASON, by)),
        lambda world, space: (reverse("lift-several"), {"space": space.pk, "reason": REASON}),
        None,
    ),
    "hold-several": (
        lambda world, space, by: _first_refusal(several.hold_each([space.pk], REASON, by, case_number="A 1")),
        lambda world, space: (reverse("hold-several"), {"space": space.pk, "reason": REASON, "case_number": "A 1"}),
        None,
    ),
    "hold-review": (
        lambda world, space, by: holds.review(world.hold(space), date(2100, 1, 1), by),
        lambda world, space: (reverse("hold-review", args=[world.hold(space)]), {"review_on": "2100-01-01"}),
        None,
    ),
    "grant": (
        lambda world, space, by: appeals.decide(world.appeal(space), REASON, by, granted=True),
        lambda world, space: (
            reverse("decide", args=[world.appeal(space)]),
            {"decision": "grant", "reason": REASON},
        ),
        lambda world, space: ["decide", str(world.appeal(space)), "grant"],
    ),
    "deny": (
        lambda world, space, by: appeals.decide(world.appeal(space), REASON, by, granted=False),
        lambda world, space: (
            reverse("decide", args=[world.appeal(space)]),
            {"decision": "deny", "reason": REASON},
        ),
        lambda world, space: ["decide", str(world.appeal(space)), "deny"],
    ),
    "release": (
        lambda world, space, by: holds.release(world.hold(space), REASON, by),
        lambda world, space: (reverse("release", args=[world.hold(space)]), {"reason": REASON}),
        lambda world, space: ["release", str(world.hold(space))],
    ),
}

# {(who, which Space): {act: code of the refusal}}
REFUSED: dict[tuple[str, str], dict[str, str]] = {
    ("ada", "own"): dict.fromkeys(ACTS, "moderation.own_space"),
    ("bea", "other"): {
        "grant": "appeal.own_flag",
        "deny": "appeal.own_flag",
        "lift": "appeal.own_flag",
        "lift-several": "appeal.own_flag",
        "release": "hold.own",
    },
    ("young", "other"): {
        "grant": "appeal.role_too_young",
        "deny": "appeal.role_too_young",
        "lift": "appeal.role_too_young",
        "lift-several": "appeal.role_too_young",
        "release": "hold.role_too_young",
    },
    ("nora", "other"): dict.fromkeys(ACTS, "moderation.not_an_admin"),
}
# A part of the message for each code, by which tests find it on a page or in a terminal.
SENTENCES = {
    "moderation.own_space": "This is your own Space",
    "appeal.own_flag": "You placed this flag",
    "hold.own": "You placed this hold",
    "appeal.role_too_young": "can decide it",
    "hold.role_too_young": "can release it",
    "moderation.not_an_admin": "is not an admin",
}


def _first_refusal(outcomes: list[several.Outcome]) -> None:
    """Bulk acts report the refusal for one Space."""
    if outcomes[0].error:
        raise outcomes[0].error


def state() -> list[Any]:
    """Return everything that one of these acts would change."""
    return [
        list(Violation.objects.order_by("pk").values_list("pk", "state")),
        list(Appeal.objects.order_by("pk").values_list("pk", "state")),
        list(Hold.objects.order_by("pk").values_list("pk", "state", "review_on")),
        list(Space.objects.order_by("pk").values_list("pk", "expires_at", "reviewed_at")),
        LogEntry.objects.exclude(event__startswith="content.").count(),
    ]


# All cases share one world, which takes as long to create as ten acts: each act is refused and changes nothing.
EACH = [(who, which, act, code) for (who, which), acts in REFUSED.items() for act, code in acts.items()]


def test_the_domain_refuses(world: World) -> None:
    before = state()
    for who, which, act, code in EACH:
        with pytest.raises(Refused) as caught:
            ACTS[act][0](world, getattr(world, which), User.objects.get(username=who))

        assert (who, act, caught.value.code, state()) == (who, act, code, before)


def test_the_page_refuses(world: World) -> None:
    before = state()
    for who, which, act, code in EACH:
        url, form = ACTS[act][1](world, getattr(world, which))
        client = make_client(User.objects.get(username=who))  # a client of its own, without messages of earlier acts

        answer = client.post(url, form, follow=True)

        assert (who, act, state()) == (who, act, before)
        if who == "nora":
            assert (act, answer.status_code) == (act, 404)
        else:
            assert (who, act, SENTENCES[code] in answer.content.decode()) == (who, act, True)


def test_no_page_has_a_button_for_what_is_refused(world: World) -> None:
    for who, which in (key for key in REFUSED if key[0] != "nora"):
        client, space = make_client(User.objects.get(username=who)), getattr(world, which)
        names = {"space": [space.pk], "moderate": [space.pk], "appeals": [], "holds": []}
        pages = {name: client.get(reverse(name, args=args)).content.decode() for name, args in names.items()}

        for act in REFUSED[who, which]:
            url, _ = ACTS[act][1](world, space)
            if act.endswith("-several"):
                page = client.get(url, {"space": space.pk}).content.decode()
                assert (who, act, f'value="{space.pk}"' in page) == (who, act, False)
            else:
                assert (who, act, [name for name, page in pages.items() if f'action="{url}"' in page]) == (who, act, [])


def test_the_command_refuses(world: World) -> None:
    before = state()
    for who, which, act, code in EACH:
        if (arguments := ACTS[act][2]) is None:
            continue
        with pytest.raises(CommandError, match=SENTENCES[code]):
            call_command(*arguments(world, getattr(world, which)), "--reason", REASON, "--by", who, stdout=StringIO())

        assert (who, act, state()) == (who, act, before)


def test_an_admin_appointed_after_the_flag_may_not_lift_it(world: World, settings: Settings) -> None:
    """Otherwise a host who is an admin could avoid the appeal by inviting an admin who lifts the flag."""
    Appeal.objects.all().delete()

    with pytest.raises(Refused) as error:
        violations.lift(world.other.pk, REASON, world.young)

    assert error.value.code == "violation.role_too_young"
    settings.APPEAL_NEEDS_SECOND_ADMIN = False
    violations.lift(world.other.pk, REASON, world.young)
    assert Violation.objects.get(space=world.other).state == "lifted"


def test_an_admin_reads_no_reason_of_a_hold_on_their_own_space(world: World) -> None:
    """Like every host, they see only that there is a hold."""
    for url in (reverse("holds"), reverse("moderate", args=[world.own.pk])):
        page = make_client(world.ada).get(url).content.decode()
        assert f"hold {world.hold(world.own)}." in page
        assert page.count("A court.") == (1 if url == reverse("holds") else 0)  # the reason on the other Space
    assert "as evidence" not in page


def test_the_api_decides_nothing() -> None:
    """If the API gets such operations, they need a test with REFUSED above."""
    document = api.get_openapi_schema()
    words = ("flag", "violation", "lift", "hold", "appeal", "release", "decide", "moderation")

    assert [path for path in document["paths"] if any(word in path for word in words)] == []


def test_the_django_admin_decides_nothing() -> None:
    """If Django's admin site gets such pages, they need a test with REFUSED above."""
    registered = {model.__name__ for model in apps.get_models() if django_admin.site.is_registered(model)}

    assert registered == {"User"}


class TestAllowed:
    """Somebody can do each act that is refused above: the second admin may."""

    @pytest.mark.parametrize("act", ["flag", "lift", "hold", "grant", "deny", "release"])
    def test_the_second_admin_may(self, world: World, act: str) -> None:
        before = state()
        url, form = ACTS[act][1](world, world.other)
        client = make_client(world.ada)
        pages = {"release": reverse("holds"), "grant": reverse("appeals"), "deny": reverse("appeals")}
        page = pages.get(act, reverse("moderate", args=[world.other.pk]))
        assert f'action="{url}"' in client.get(page).content.decode()

        assert client.post(url, form).status_code == 302

        assert state() != before

    def test_a_role_counts_again_from_the_last_activation(self, world: World) -> None:
        roles.set_active(world.ada.pk, active=False, by=None)
        roles.set_active(world.ada.pk, active=True, by=world.bea)

        with pytest.raises(Refused) as caught:
            holds.release(world.hold(world.other), REASON, User.objects.get(pk=world.ada.pk))

        assert caught.value.code == "hold.role_too_young"

    def test_an_inactive_admin_decides_nothing(self, world: World) -> None:
        roles.set_active(world.ada.pk, active=False, by=None)

        with pytest.raises(Refused) as caught:
            violations.flag(world.other.pk, "spam", REASON, User.objects.get(pk=world.ada.pk))

        assert caught.value.code == "moderation.not_an_admin"

    def test_a_site_with_one_admin_can_decide_alone(self, world: World, settings: Settings) -> None:
        settings.HOLD_RELEASE_NEEDS_SECOND_ADMIN = settings.APPEAL_NEEDS_SECOND_ADMIN = False

        appeals.decide(world.appeal(world.other), REASON, world.bea, granted=True)
        holds.release(world.hold(world.other), REASON, world.bea)

        assert (Appeal.objects.get(pk=world.appeal(world.other)).state, world.other.holds.get().state) == (
            "granted",
            "released",
        )
