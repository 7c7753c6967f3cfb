"""The pages of invitations: admins create them, and invited people sign up."""

import re

import pytest
from allauth.account.models import EmailAddress
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from archive.accounts import invitations
from archive.accounts.send_invitation import send_invitation
from archive.models import Invitation, User
from tests.support.http_clients import make_client
from tests.support.mail_server import Mailbox, text_body

pytestmark = pytest.mark.django_db
LINK = re.compile(r"http://[^/]+(/invitation/[0-9a-f]{64}/)")
FORM = {"email": "ines@example.org", "role": "host", "days": "7"}
NEW = {"first_name": "Ines", "username": "ines", "password1": "quagga-72-lantern"}


def invite(admin: User, **changes: str) -> str:
    """Create an invitation, and return the path of its link. The page shows it if no mail is sent."""
    answer = make_client(admin).post("/people/invitations/", {**FORM, **changes})
    (path,) = LINK.findall(answer.content.decode())
    return str(path)


def sign_up(path: str, **changes: str) -> Client:
    client = make_client()
    assert client.get(path)["Location"] == "/accounts/signup/"
    client.post("/accounts/signup/", {**NEW, **changes})
    return client


def test_the_link_is_shown_once_and_leads_to_an_account(admin: User) -> None:
    path = invite(admin, role="admin")
    assert LINK.findall(make_client(admin).get("/people/invitations/").content.decode()) == []
    client = make_client()
    client.get(path)
    assert "ines@example.org" in client.get("/accounts/signup/").content.decode()

    answer = client.post("/accounts/signup/", NEW)

    user = User.objects.get(username="ines")
    assert (answer.status_code, client.session["_auth_user_id"]) == (302, str(user.pk))
    assert (user.email, user.display_name, set(user.roles)) == ("ines@example.org", "Ines", {"admins"})
    assert user.check_password(NEW["password1"])
    assert [(a.email, a.verified) for a in EmailAddress.objects.filter(user=user)] == [("ines@example.org", False)]


def test_a_mailed_link_verifies_the_address(admin: User, mailbox: Mailbox) -> None:
    answer = make_client(admin).post("/people/invitations/", FORM)
    assert LINK.findall(answer.content.decode()) == []
    path = f"/people/invitations/{Invitation.objects.get().pk}/renew"
    assert path not in make_client(admin).get("/people/invitations/").content.decode()  # the first mail is on its way
    assert send_invitation(Invitation.objects.get().pk)
    assert path in make_client(admin).get("/people/invitations/").content.decode()
    (path,) = LINK.findall(text_body(mailbox.to("ines@example.org")[0]))

    sign_up(path)

    (address,) = EmailAddress.objects.filter(user__username="ines")
    assert (address.email, address.verified, address.primary) == ("ines@example.org", True, True)


def test_nobody_signs_up_without_a_link(client: Client, admin: User) -> None:
    path = invite(admin)
    client.get(path)
    invitations.revoke(Invitation.objects.get().pk, admin)

    client.post("/accounts/signup/", NEW)

    assert not User.objects.filter(username="ines").exists()
    assert client.get(path).status_code == 404
    assert client.get(f"/invitation/{'0' * 64}/").status_code == 404


def test_a_link_works_once(admin: User) -> None:
    path = invite(admin)
    late = make_client()
    late.get(path)  # opened before the other sign-up, sent after it
    sign_up(path)

    answer = late.post("/accounts/signup/", {**NEW, "username": "eve"}, follow=True)

    assert "_auth_user_id" not in late.session
    assert "by invitation" in answer.content.decode()
    assert not User.objects.filter(username="eve").exists()


def test_another_address_can_not_be_smuggled_in(admin: User) -> None:
    sign_up(invite(admin), email="eve@example.org")

    assert User.objects.get(username="ines").email == "ines@example.org"


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"username": "ada"}, "Another account has this user name"),
        ({"password1": "short"}, "short"),
        ({"username": "a b"}, "valid"),
    ],
)
def test_a_refused_form_keeps_the_invitation(changes: dict[str, str], problem: str, admin: User) -> None:
    path = invite(admin)
    client = sign_up(path, **changes)

    assert problem in client.post("/accounts/signup/", {**NEW, **changes}).content.decode()
    assert Invitation.objects.get().state == "open"
    client.post("/accounts/signup/", NEW)
    assert User.objects.filter(username="ines").exists()


def test_the_name_of_an_invitation_is_a_proposal(admin: User) -> None:
    path = invite(admin, name="  Ines <i>Lind</i> ")
    assert Invitation.objects.get().name == "Ines <i>Lind</i>"
    assert "<bdi>Ines &lt;i&gt;Lind&lt;/i&gt;</bdi>" in make_client(admin).get("/people/invitations/").content.decode()
    client = make_client()
    client.get(path)
    assert 'value="Ines &lt;i&gt;Lind&lt;/i&gt;"' in client.get("/accounts/signup/").content.decode()

    client.post("/accounts/signup/", {**NEW, "first_name": "Ines"})

    assert User.objects.get(username="ines").first_name == "Ines"
    assert Invitation.objects.get().name == ""  # only the account has the name now


def test_no_role_is_chosen_for_the_admin(admin: User) -> None:
    client = make_client(admin)
    assert "selected>Host" not in client.get("/people/invitations/").content.decode()

    answer = client.post("/people/invitations/", {**FORM, "role": ""})

    assert (answer.status_code, "Choose host, auditor or admin." in answer.content.decode()) == (422, True)


def test_somebody_who_is_signed_in_is_told_to_sign_out(admin: User, alice: User) -> None:
    path = invite(admin)

    answer = make_client(alice).get(path)

    assert (answer.status_code, "signed in as" in answer.content.decode()) == (409, True)
    assert Invitation.objects.get().state == "open"


def test_sending_again_and_revoking(admin: User) -> None:
    path = invite(admin)
    invitation = Invitation.objects.get()
    client = make_client(admin)

    (newer,) = LINK.findall(client.post(f"/people/invitations/{invitation.pk}/renew").content.decode())
    assert (make_client().get(path).status_code, make_client().get(newer).status_code) == (404, 302)

    client.post(f"/people/invitations/{invitation.pk}/revoke")
    assert make_client().get(newer).status_code == 404
    assert "revoked" in client.get("/people/invitations/").content.decode()


@pytest.mark.parametrize("who", ["alice", "otto"])
def test_others_see_nothing_of_it(who: str, alice: User, auditor: User, admin: User) -> None:
    invite(admin)
    invitation = Invitation.objects.get()
    client = make_client({"alice": alice, "otto": auditor}[who])

    assert client.get("/people/invitations/").status_code == 404
    assert client.post("/people/invitations/", FORM).status_code == 404
    assert client.post(f"/people/invitations/{invitation.pk}/renew").status_code == 404
    assert client.post(f"/people/invitations/{invitation.pk}/revoke").status_code == 404
    assert Invitation.objects.get().state == "open"
    assert make_client().get("/people/invitations/").status_code == 302


def test_a_wrong_form_is_refused_with_what_was_typed(admin: User) -> None:
    answer = make_client(admin).post("/people/invitations/", {**FORM, "email": "x@"})

    assert (answer.status_code, 'value="x@"' in answer.content.decode()) == (422, True)
    assert not Invitation.objects.exists()


def test_the_query_count_does_not_grow(admin: User) -> None:
    counts = []
    for numbers in (range(2), range(2, 30)):
        for number in numbers:
            invitations.invite(f"p{number}@example.org", "host", 7, admin)
        with CaptureQueriesContext(connection) as queries:
            make_client(admin).get("/people/invitations/")
        counts.append(len(queries))

    assert counts[0] == counts[1]
