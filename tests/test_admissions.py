"""If every admin got the role after a case began, the operator can admit one of them to decide it."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from archive.accounts import roles
from archive.errors import Refused
from archive.models import Appeal, Hold, LogEntry, Space, User
from archive.moderation import appeals, holds, violations
from tests.support.errors import raises_error
from tests.support.factory import make_row, make_user

pytestmark = pytest.mark.usefixtures("db")
REASON = "All other admins have left."


@pytest.fixture
def space(alice: User) -> Space:
    return make_row(alice)


@pytest.fixture
def hold(space: Space, admin: User) -> Hold:
    return holds.place(space.pk, "A court asked for it.", admin)


@pytest.fixture
def appeal(space: Space, alice: User, admin: User) -> Appeal:
    return appeals.appeal(violations.flag(space.pk, "spam", "Watches.", admin).pk, "Beans.", alice)


def admit(*args: str) -> str:
    output = StringIO()
    call_command("admit", *args, "--reason", REASON, stdout=output)
    return output.getvalue()


def again(name: str) -> User:
    return User.objects.get(username=name)


def test_an_admitted_admin_releases_that_hold_and_no_other(space: Space, hold: Hold, admin: User) -> None:
    other = holds.place(space.pk, "Another court asked for it.", admin)
    bea = make_user("bea", role="admins")
    with raises_error(Refused, "hold.role_too_young"):
        holds.release(hold.pk, "It is over.", bea)

    assert "bea may decide this case" in admit("bea", "--hold", str(hold.pk))

    holds.release(hold.pk, "It is over.", again("bea"))
    with raises_error(Refused, "hold.role_too_young"):
        holds.release(other.pk, "It is over.", again("bea"))
    entry = LogEntry.objects.get(event="account.admitted")
    assert (entry.space_id, entry.actor_kind, entry.actor_id) == (space.pk, "command", None)
    assert (entry.detail["account"], entry.detail["hold"], len(entry.detail["reason"])) == (bea.pk, hold.pk, 64)
    assert REASON not in str(entry.detail)


def test_an_admitted_admin_decides_that_appeal(appeal: Appeal) -> None:
    bea, cleo = make_user("bea", role="admins"), make_user("cleo", role="admins")

    admit("bea", "--appeal", str(appeal.pk))

    with raises_error(Refused, "appeal.role_too_young"):
        appeals.decide(appeal.pk, "They were beans.", cleo, granted=True)
    assert appeals.decide(appeal.pk, "They were beans.", again("bea"), granted=True).state == "granted"
    assert bea.pk == Appeal.objects.get().decided_by_id


def test_an_admission_overcomes_no_other_rule(appeal: Appeal, hold: Hold, alice: User, bob: User) -> None:
    roles.grant_role(alice.pk, "admins", None)
    refused = {
        ("ada", "--hold", hold.pk): "placed",
        ("ada", "--appeal", appeal.pk): "flag",
        ("alice", "--hold", hold.pk): "your own Space",
        ("alice", "--appeal", appeal.pk): "your own Space",
        ("bob", "--hold", hold.pk): "is not an admin",
    }
    for (name, case, number), why in refused.items():
        with pytest.raises(CommandError, match=why):
            admit(name, case, str(number))
    assert not LogEntry.objects.filter(event="account.admitted").exists()


def test_nobody_is_admitted_while_an_admin_may_decide(alice: User) -> None:
    old = make_user("old", role="admins")
    hold = holds.place(make_row(alice).pk, "A court asked for it.", make_user("placer", role="admins"))
    make_user("bea", role="admins")

    with pytest.raises(CommandError, match="old may decide this"):
        admit("bea", "--hold", str(hold.pk))
    roles.set_active(old.pk, active=False, by=None)
    admit("bea", "--hold", str(hold.pk))
    assert holds.release(hold.pk, "It is over.", again("bea")).released_by_id == again("bea").pk


def test_a_role_that_was_revoked_ends_the_admission(hold: Hold) -> None:
    bea = make_user("bea", role="admins")
    admit("bea", "--hold", str(hold.pk))
    roles.revoke_role(bea.pk, "admins", None)

    with raises_error(Refused, "moderation.not_an_admin", user="bea"):
        holds.release(hold.pk, "It is over.", again("bea"))
