"""Closing an account erases the person, and rows that refer to the account by its number stay valid."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
from allauth.account.models import EmailAddress
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from django.contrib.admin.models import CHANGE
from django.contrib.admin.models import LogEntry as AdminEntry
from django.contrib.contenttypes.models import ContentType
from django.core.management import CommandError, call_command
from django.db import connection, transaction

from archive import dbtime, feeds, notices, recorders
from archive.accounts import closing, invitations, profile
from archive.accounts.export_person import export_person
from archive.errors import Refused
from archive.models import LogEntry, Notice, Participant, RecorderToken, Space, User
from archive.retention import certificate, purge
from archive.retention.verify_certificate import verify
from tests.support.factory import make_held, make_row, make_space, make_user
from tests.support.http_clients import make_client
from tests.support.mail_server import give_address

pytestmark = pytest.mark.django_db
# Columns of archive's tables that refer to accounts, and what closing does with each: erased (the row is deleted),
# cleared (the row stays without the account), or kept (the number stays, and identifies who decided or hosted).
POINTERS = {
    "archive_appeal.created_by": "kept",
    "archive_appeal.decided_by": "kept",
    "archive_bundle.requested_by": "kept",
    "archive_export.host": "kept",
    "archive_exportpart.requested_by": "kept",
    "archive_digest.user": "erased",
    "archive_feed.user": "erased",
    "archive_formsubmission.user": "erased",
    "archive_hold.placed_by": "kept",
    "archive_hold.released_by": "kept",
    "archive_idempotencykey.user": "erased",
    "archive_invitation.accepted_by": "kept",
    "archive_invitation.invited_by": "kept",
    "archive_notice.user": "erased",
    "archive_participant.user": "cleared",
    "archive_recordertoken.created_by": "kept",
    "archive_recordertoken_hosts.user": "kept",
    "archive_reviewclaim.admin": "erased",
    "archive_savedlogview.user": "erased",
    "archive_rolemembership.granted_by": "kept",
    "archive_rolemembership.user": "erased",
    "archive_space.host": "kept",
    "archive_space.reviewed_by": "kept",
    "archive_transcript.uploaded_by": "kept",
    "archive_uploadsession.created_by": "kept",
    "archive_user_user_permissions.user": "kept",
    "archive_violation.flagged_by": "kept",
    "archive_violation.lifted_by": "kept",
    "archive_webhookendpoint.owner": "erased",
}


def test_every_column_that_points_at_accounts_is_decided_about() -> None:
    """A new table needs an entry in POINTERS, and code in archive/accounts/closing.py."""
    own = [relation for relation in closing.relations() if relation.related_model._meta.app_label == "archive"]

    assert {f"{r.related_model._meta.db_table}.{r.field.name}" for r in own} == set(POINTERS)


def words_in_the_database(words: list[str]) -> dict[str, list[str]]:
    """Return the tables that contain one of these words in any column, ignoring case."""
    found: dict[str, list[str]] = {}
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names():
            for word in words:
                cursor.execute(f'SELECT count(*) FROM "{table}" t WHERE t::text ILIKE %s', [f"%{word}%"])
                if cursor.fetchone()[0]:
                    found.setdefault(word, []).append(table)
    return found


def test_nothing_of_the_person_is_left(admin: User, bob: User) -> None:
    person = User.objects.create(username="quagga", first_name="Okapi", last_name="Narwhal", time_zone="Asia/Tokyo")
    give_address(person, "zebrafish@example.org")
    EmailAddress.objects.create(user=person, email="zebrafish@example.org", verified=True, primary=True)
    profile.update_profile(person, display_name="Okapi Narwhal", time_zone="Asia/Tokyo", mailed_kinds=[])
    of_bob = make_row(bob, title="Beans")
    participant = Participant.objects.create(space=of_bob, role="speaker", seat=1, name="Ida", user=person)
    with transaction.atomic():
        notices.tell(Notice.Kind.DELETED, person, of_bob)
    AdminEntry.objects.create(
        user=admin,
        content_type=ContentType.objects.get_for_model(User),
        object_id=str(person.pk),
        object_repr="quagga",
        action_flag=CHANGE,
    )
    make_client(person).get("/")
    words = ["quagga", "okapi", "narwhal", "zebrafish"]
    assert sorted(words_in_the_database(words)) == sorted(words)

    closing.close_account(person.pk, person)

    assert words_in_the_database(words) == {}
    row = User.objects.get(pk=person.pk)
    assert (row.username, row.is_active, row.has_usable_password()) == (f"closed #{row.pk}", False, False)
    assert row.closed_at is not None
    participant.refresh_from_db()
    assert (participant.user, participant.name) == (None, "Ida")
    assert not Notice.objects.filter(user=row).exists()
    entry = LogEntry.objects.get(event="account.closed")
    assert (entry.actor_id, entry.detail) == (row.pk, {"account": row.pk})


def test_certificates_and_the_log_stay_valid(admin: User) -> None:
    person = make_user("quagga")
    space = make_space(person, ended_ago=timedelta(days=29), title="Zebrafish")
    before = LogEntry.objects.filter(space_id=space.pk).count()
    Space.objects.filter(pk=space.pk).update(ended_at=dbtime.now() - timedelta(days=31), expires_at=dbtime.now())
    assert purge.purge(space.pk)
    document = make_client(person).get(f"/spaces/{space.pk}/certificate.json").content

    closing.close_account(person.pk, admin)

    key = load_pem_public_key(certificate.public_keys())
    assert isinstance(key, Ed25519PublicKey)
    assert verify(document, key)["space"] == str(space.pk)
    assert make_client(admin).get(f"/spaces/{space.pk}/certificate.json").content == document
    assert LogEntry.objects.filter(space_id=space.pk).count() > before
    assert make_client(admin).get(f"/log/spaces/{space.pk}/").status_code == 200
    assert b"quagga" not in make_client(admin).get("/log/").content


def refused(account: User, by: User | None) -> str:
    with pytest.raises(Refused) as error:
        closing.close_account(account.pk, by)
    return error.value.code


def test_not_while_it_hosts_spaces(alice: User, admin: User) -> None:
    space = make_row(alice, ended_ago=timedelta(days=1))
    assert refused(alice, alice) == "account.hosts_spaces"
    held = make_held(alice)
    assert refused(alice, admin) == "account.hosts_held_spaces"
    assert User.objects.get(pk=alice.pk).username == "alice"
    assert LogEntry.objects.filter(event="account.closed").count() == 0
    assert (space.host_id, held.host_id) == (alice.pk, alice.pk)


def test_who_may_close(alice: User, bob: User, admin: User, auditor: User) -> None:
    assert refused(alice, bob) == "account.not_an_admin"
    assert refused(alice, auditor) == "account.not_an_admin"
    assert refused(admin, admin) == "account.last_admin"
    make_user("bea", "admins")

    closing.close_account(admin.pk, admin)

    assert refused(admin, None) == "account.closed"


def test_tokens_and_invitations_of_a_closed_admin_end(admin: User) -> None:
    make_user("bea", "admins")
    _, text = recorders.create_token("studio", 30, admin, for_anybody=True)
    _, token = invitations.invite("ines@example.org", "admin", 7, admin)
    feed = feeds.create_calendar(admin)

    closing.close_account(admin.pk, admin)

    assert (recorders.authenticate(text), invitations.find_valid(token)) == (None, None)
    recorder = RecorderToken.objects.get()
    assert recorder.revoked_at is not None
    ended = LogEntry.objects.filter(event__in=["feed.revoked", "token.revoked"]).order_by("event")
    assert [(entry.event, entry.actor_id) for entry in ended] == [
        ("feed.revoked", admin.pk),
        ("token.revoked", admin.pk),
    ]
    assert [ended[0].detail["feed"], ended[1].detail["recorder"]] == [str(feed.pk), str(recorder.pk)]


def test_the_page_closes_the_own_account(alice: User) -> None:
    client = make_client(alice)
    assert client.post("/account/close/", {"username": "alic"}).status_code == 422

    answer = client.post("/account/close/", {"username": "alice"}, follow=True)

    assert "Your account is closed" in answer.content.decode()
    assert client.get("/account/").status_code == 302
    assert not User.objects.filter(username="alice").exists()


def test_the_page_says_when_it_will_be_possible(alice: User) -> None:
    make_row(alice, ended_at=dbtime.now().replace(year=2026, month=11, day=20, hour=9, minute=0))

    answer = make_client(alice).get("/account/close/")

    assert "20 December 2026, 09:00 UTC" in answer.content.decode()
    assert make_client(alice).post("/account/close/", {"username": "alice"}).status_code == 422


def test_a_closed_account_can_not_be_switched_on(alice: User, admin: User) -> None:
    closing.close_account(alice.pk, admin)

    assert make_client(admin).post(f"/people/{alice.pk}/activate").status_code == 404
    assert not User.objects.get(pk=alice.pk).is_active


def test_the_export_has_every_table_that_points_at_the_person(alice: User, bob: User, admin: User) -> None:
    give_address(alice)
    EmailAddress.objects.create(user=alice, email="alice@example.org", verified=True, primary=True)
    space = make_row(alice, title="Seeds")
    of_bob = make_row(bob, title="Beans")
    Participant.objects.create(space=of_bob, role="speaker", seat=1, name="Alice L.", user=alice)
    _, token = recorders.create_token("studio", 30, admin, for_anybody=True)

    facts = export_person(alice)

    assert facts["account"]["email"] == "alice@example.org"
    assert [row["title"] for row in facts["tables"]["archive_space.host"]] == ["Seeds"]
    assert [row["name"] for row in facts["tables"]["archive_participant.user"]] == ["Alice L."]
    assert [row["email"] for row in facts["tables"]["account_emailaddress.user"]] == ["alice@example.org"]
    text = json.dumps(facts)
    assert ("Beans" in text, str(of_bob.pk) in text, str(space.pk) in text) == (False, True, True)
    assert alice.password not in json.dumps(export_person(alice))
    assert token.rpartition("_")[2] not in json.dumps(export_person(admin))
    assert RecorderToken.objects.get().secret_sha256 not in json.dumps(export_person(admin))


def test_the_commands(alice: User, tmp_path: Path) -> None:
    out = tmp_path / "alice.json"

    call_command("export_person", "alice", "--out", str(out))

    assert json.loads(out.read_text())["account"]["username"] == "alice"
    assert out.stat().st_mode & 0o777 == 0o600
    with pytest.raises(CommandError, match="exists already"):
        call_command("export_person", "alice", "--out", str(out))
    with pytest.raises(CommandError, match="no user 'eve'"):
        call_command("export_person", "eve", "--out", str(tmp_path / "eve.json"))

    call_command("close_account", "alice")

    assert not User.objects.filter(username="alice").exists()
    entry = LogEntry.objects.get(event="account.closed")
    assert (entry.actor_kind, entry.actor_id) == ("command", None)
