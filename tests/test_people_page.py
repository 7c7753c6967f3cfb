"""The admins' pages of accounts: search, roles, activation, sessions, and links for new passwords."""

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from archive.accounts import roles
from archive.models import LogEntry, User
from tests.support.factory import make_row, make_user
from tests.support.http_clients import make_client
from tests.support.mail_server import give_address

pytestmark = pytest.mark.django_db
ACTS = ("roles", "activate", "deactivate", "end-sessions", "reset-link", "close")


def listed(admin: User, query: str) -> list[str]:
    """Return the user names in the page's order."""
    answer = make_client(admin).post("/people/", {"q": query}, follow=True)
    text = answer.content.decode()
    assert len(query) < 3 or query not in str(answer.redirect_chain)  # logs of proxies contain URLs
    return re.findall(r"<bdi>(\w+)</bdi></td>", text)


def log() -> list[tuple[str, int | None, int]]:
    rows = LogEntry.objects.order_by("id").values_list("event", "actor_id", "detail__account")
    return list(rows)


def test_search_by_name_user_name_and_address(admin: User, alice: User, bob: User) -> None:
    give_address(alice, "liddell@example.org")
    User.objects.filter(pk=bob.pk).update(first_name="Robert")

    assert listed(admin, "") == ["bob", "alice", "ada"]
    page = make_client(admin).get("/people/").content.decode()
    assert re.findall(r'<td role="cell" class="small"><span[^>]*>(host|admin)</span>', page) == [
        "host",
        "host",
        "admin",
    ]
    assert 'href="/people/invitations/#invite-title"' in page
    assert (listed(admin, "LIDDELL"), listed(admin, "rober"), listed(admin, "ali")) == (["alice"], ["bob"], ["alice"])
    assert (listed(admin, "nobody"), listed(admin, "%"), listed(admin, "a\x00")) == ([], [], [])


def test_roles_are_granted_and_revoked(admin: User, alice: User) -> None:
    client = make_client(admin)

    client.post(f"/people/{alice.pk}/roles", {"roles": ["admins", "auditors"]})
    assert User.objects.get(pk=alice.pk).roles == {"admins", "auditors"}
    client.post(f"/people/{alice.pk}/roles", {"roles": ["auditors"]})

    assert User.objects.get(pk=alice.pk).roles == {"auditors"}
    assert log() == [
        ("account.role_granted", admin.pk, alice.pk),
        ("account.role_granted", admin.pk, alice.pk),
        ("account.role_revoked", admin.pk, alice.pk),
    ]
    assert client.post(f"/people/{alice.pk}/roles", {"roles": ["superusers"]}).status_code == 404


def test_nobody_gives_a_role_to_themselves(admin: User) -> None:
    answer = make_client(admin).post(f"/people/{admin.pk}/roles", {"roles": ["admins", "auditors"]})

    assert answer.status_code == 422
    assert User.objects.get(pk=admin.pk).roles == {"admins"}
    assert "Save roles" not in make_client(admin).get(f"/people/{admin.pk}/").content.decode()


def test_the_last_admin_stays(admin: User) -> None:
    client = make_client(admin)

    assert client.post(f"/people/{admin.pk}/roles", {}).status_code == 422
    assert client.post(f"/people/{admin.pk}/deactivate").status_code == 422
    assert client.post(f"/people/{admin.pk}/close", {"username": "ada"}).status_code == 422
    assert User.objects.get(pk=admin.pk).is_active
    assert log() == []


def test_switching_off_and_on(admin: User, alice: User) -> None:
    client = make_client(admin)
    theirs = make_client(alice)

    client.post(f"/people/{alice.pk}/deactivate")
    assert theirs.get("/").status_code == 302
    assert "deactivated" in client.get("/people/").content.decode()
    client.post(f"/people/{alice.pk}/activate")

    assert User.objects.get(pk=alice.pk).is_active
    assert log() == [("account.deactivated", admin.pk, alice.pk), ("account.activated", admin.pk, alice.pk)]


def offers(by: User, person: User) -> set[str]:
    """Return the buttons that the person's page offers to `by`."""
    page = make_client(by).get(f"/people/{person.pk}/").content.decode()
    return set(re.findall(rf'action="/people/{person.pk}/([a-z-]+)"', page))


def test_nothing_is_offered_that_would_be_refused(admin: User, alice: User) -> None:
    bea, root = make_user("bea", role="admins"), User.objects.create(username="root", is_superuser=True, is_staff=True)
    everything = {"roles", "end-sessions", "deactivate", "close"}

    assert offers(admin, bea) == offers(root, bea) == everything
    assert offers(bea, admin) == {"roles"}  # the row of an auditor
    assert offers(bea, root) == set()
    assert offers(root, admin) == everything
    assert offers(root, root) == set()
    roles.revoke_role(bea.pk, "admins", admin)
    assert offers(root, admin) == {"roles", "end-sessions"}  # she is the last admin


def test_the_page_of_an_older_admin_says_why_and_keeps_the_role(admin: User) -> None:
    client = make_client(make_user("bea", role="admins"))
    page = client.get(f"/people/{admin.pk}/").content.decode()

    assert "ada has been an admin since" in page
    assert 'value="admins" checked disabled' in page
    sent = re.findall(r'<input type="hidden" name="roles" value="(\w+)">', page)
    client.post(f"/people/{admin.pk}/roles", {"roles": [*sent, "auditors"]})
    assert User.objects.get(pk=admin.pk).roles == {"admins", "auditors"}
    answer = client.post(f"/people/{admin.pk}/end-sessions")
    assert (answer.status_code, "ada has been an admin since" in answer.content.decode()) == (422, True)
    assert make_client(admin).get("/people/").status_code == 200


def test_all_sessions_end_and_those_of_others_stay(admin: User, alice: User, bob: User) -> None:
    theirs, other = [make_client(alice) for _ in range(2)], make_client(bob)

    make_client(admin).post(f"/people/{alice.pk}/end-sessions")

    assert [client.get("/").status_code for client in (*theirs, other)] == [302, 302, 200]
    alice.refresh_from_db()
    assert make_client(alice).get("/").status_code == 200
    assert log() == [("account.sessions_ended", admin.pk, alice.pk)]


def test_a_link_for_a_new_password_is_shown_once_and_works_once(admin: User, alice: User) -> None:
    page = make_client(admin).post(f"/people/{alice.pk}/reset-link").content.decode()
    (path,) = re.findall(r"http://[^/<]+(/accounts/password/reset/key/[^<]+)", page)
    client = make_client()
    form = client.get(path)["Location"]

    client.post(form, {"password1": "quagga-72-lantern", "password2": "quagga-72-lantern"})

    alice.refresh_from_db()
    assert alice.check_password("quagga-72-lantern")
    assert "This link has expired" in make_client().get(path).content.decode()
    assert log() == [
        ("account.reset_link_created", admin.pk, alice.pk),
        ("account.password_changed", alice.pk, alice.pk),
    ]


def test_a_link_ends_with_a_role_that_is_granted_after_it(admin: User, alice: User) -> None:
    page = make_client(admin).post(f"/people/{alice.pk}/reset-link").content.decode()
    (path,) = re.findall(r"http://[^/<]+(/accounts/password/reset/key/[^<]+)", page)

    roles.grant_role(alice.pk, "admins", admin)

    assert "This link has expired" in make_client().get(path).content.decode()


def test_no_link_for_an_account_that_had_a_role(admin: User, alice: User) -> None:
    """Otherwise an admin could remove the role, create a link, and grant the role again."""
    roles.grant_role(alice.pk, "admins", admin)
    roles.revoke_role(alice.pk, "admins", admin)

    answer = make_client(admin).post(f"/people/{alice.pk}/reset-link")

    assert (answer.status_code, "/accounts/password/reset/key/" in answer.content.decode()) == (422, False)


def test_sessions_of_before_do_not_come_back_with_the_account(admin: User, alice: User) -> None:
    theirs, client = make_client(alice), make_client(admin)

    client.post(f"/people/{alice.pk}/deactivate")
    client.post(f"/people/{alice.pk}/activate")

    assert theirs.get("/").status_code == 302
    alice.refresh_from_db()
    assert make_client(alice).get("/").status_code == 200


@pytest.mark.parametrize("who", ["bea", "otto", "root", "ada"])
def test_no_link_for_an_account_with_power(who: str, admin: User, auditor: User) -> None:
    """With another admin's password, one person could act as two."""
    make_user("bea", "admins")
    User.objects.create(username="root", is_superuser=True)
    account = User.objects.get(username=who)

    answer = make_client(admin).post(f"/people/{account.pk}/reset-link")

    assert (answer.status_code, "/accounts/password/reset/key/" in answer.content.decode()) == (422, False)
    assert log() == []


def test_an_admin_changes_no_superuser(admin: User) -> None:
    root = User.objects.create(username="root", is_superuser=True)
    client = make_client(admin)

    assert client.post(f"/people/{root.pk}/deactivate").status_code == 422
    assert client.post(f"/people/{root.pk}/end-sessions").status_code == 422
    assert client.post(f"/people/{root.pk}/close", {"username": "root"}).status_code == 422
    assert User.objects.get(pk=root.pk).is_active


def test_a_superuser_without_a_role_manages_accounts(admin: User, alice: User) -> None:
    """The domain lets superusers change accounts; only admins may invite."""
    root = User.objects.create(username="root", is_superuser=True, is_staff=True)
    client = make_client(root)

    page = client.get("/people/")
    assert (page.status_code, 'href="/people/"' in page.content.decode()) == (200, True)
    assert "/people/invitations/" not in page.content.decode()
    assert client.get(f"/people/{alice.pk}/").status_code == 200
    assert client.post(f"/people/{alice.pk}/roles", {"roles": ["auditors"]}).status_code == 302
    assert client.post(f"/people/{alice.pk}/deactivate").status_code == 302
    assert client.get("/people/invitations/").status_code == 404

    assert log() == [
        ("account.role_granted", root.pk, alice.pk),
        ("account.deactivated", root.pk, alice.pk),
    ]


def test_closing_asks_for_the_user_name(admin: User, alice: User, bob: User) -> None:
    client = make_client(admin)
    make_row(bob)

    assert client.post(f"/people/{alice.pk}/close", {"username": "bob"}).status_code == 422
    assert User.objects.get(pk=alice.pk).username == "alice"
    assert client.post(f"/people/{bob.pk}/close", {"username": "bob"}).status_code == 422
    assert client.post(f"/people/{alice.pk}/close", {"username": "alice"}).status_code == 302

    assert listed(admin, "") == ["bob", "ada"]
    assert client.get(f"/people/{alice.pk}/").status_code == 404
    assert log() == [("account.closed", admin.pk, alice.pk)]


@pytest.mark.parametrize("who", ["alice", "otto"])
def test_others_see_nothing_of_it(who: str, alice: User, bob: User, auditor: User, admin: User) -> None:
    client = make_client({"alice": alice, "otto": auditor}[who])

    assert (client.get("/people/").status_code, client.get(f"/people/{bob.pk}/").status_code) == (404, 404)
    for act in ACTS:
        assert client.post(f"/people/{bob.pk}/{act}", {"username": "bob", "roles": "admins"}).status_code == 404
        assert make_client().post(f"/people/{bob.pk}/{act}").status_code == 302
        assert make_client(admin).get(f"/people/{bob.pk}/{act}").status_code == 405
        assert make_client(admin).post(f"/people/999999/{act}").status_code == 404
    assert log() == []


def test_pages_of_many_accounts(admin: User) -> None:
    counts = []
    for numbers in (range(3), range(3, 60)):
        User.objects.bulk_create(User(username=f"p{number:02}") for number in numbers)
        client = make_client(admin)
        found = client.post("/people/", {"q": "p"})["Location"]
        with CaptureQueriesContext(connection) as queries:
            text = client.get(found).content.decode()
        counts.append(len(queries))
    assert counts[0] == counts[1]

    first = re.findall(r"<bdi>(p\d\d)</bdi></td>", text)
    (next_url,) = re.findall(r'rel="next" href="([^"]+)"', text)
    rest = make_client(admin).get(f"/people/{next_url.replace('&amp;', '&')}").content.decode()
    last = re.findall(r"<bdi>(p\d\d)</bdi></td>", rest)
    assert (len(first), len(last)) == (50, 10)
    assert sorted(first + last) == [f"p{number:02}" for number in range(60)]
