"""Each access to content is logged once per person or token, Space, kind and hour."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.db.models import F
from django.test.utils import CaptureQueriesContext

from archive.bundles import exports
from archive.content_access import Kind, delete_old, record_access
from archive.models import Bundle, ContentAccess, LogEntry, Participant, Space, User
from archive.recorders import create_token
from archive.retention.purge import purge
from archive.storage import store
from portal.downloads import download_path
from tests.support.deadlines import make_due
from tests.support.factory import make_contents, make_row, make_user
from tests.support.http_clients import make_client

AT_ONCE = 8


def issued(space: Space) -> list[tuple[str, int | None, str, str]]:
    entries = LogEntry.objects.filter(space_id=space.pk, event__startswith="content.").order_by("id")
    return [(e.event, e.actor_id, e.detail["kind"], e.detail["role"]) for e in entries]


@pytest.fixture
def space(db: None, alice: User) -> Space:
    return make_row(alice, title="Beans")


@pytest.mark.parametrize("headers", [{}, {"Range": "bytes=1-"}, {"Range": "bytes=-5"}])
@pytest.mark.parametrize("method", ["get", "head"])
def test_every_request_for_a_recording_is_logged_once(
    space: Space, alice: User, method: str, headers: dict[str, str]
) -> None:
    make_contents(space)
    client = make_client(alice)

    for _ in range(3):
        assert getattr(client, method)(f"/spaces/{space.id}/recording", headers=headers).status_code == 302
        assert getattr(client, method)(f"/spaces/{space.id}/audio", headers=headers).status_code == 302

    assert issued(space) == [
        ("content.downloaded", alice.pk, "downloaded", "host"),
        ("content.played", alice.pk, "played", "host"),
    ]


@pytest.mark.parametrize("method", ["get", "head"])
def test_an_unfinished_download_of_a_bundle_is_logged(space: Space, alice: User, method: str) -> None:
    url = download_path(make_contents(space), alice)

    getattr(make_client(), method)(url, headers={"Range": "bytes=100-"})

    assert issued(space) == [("content.downloaded", alice.pk, "downloaded", "host")]


def test_an_admin_with_another_hosts_space_is_an_event_of_its_own(space: Space, admin: User) -> None:
    make_contents(space)
    own = make_row(admin)
    make_contents(own)
    client = make_client(admin)

    for one in (space, own):
        client.get(f"/spaces/{one.id}/audio")
        client.get(f"/spaces/{one.id}/transcript.vtt")
        client.get(f"/spaces/{one.id}/")

    assert issued(space) == [
        ("content.accessed_by_admin", admin.pk, "played", "admin"),
        ("content.accessed_by_admin", admin.pk, "downloaded", "admin"),
        ("content.accessed_by_admin", admin.pk, "read", "admin"),
    ]
    assert issued(own) == [
        ("content.played", admin.pk, "played", "host"),
        ("content.downloaded", admin.pk, "downloaded", "host"),
        ("content.read", admin.pk, "read", "host"),
    ]


def test_a_page_without_content_is_not_logged(space: Space, alice: User, auditor: User) -> None:
    make_client(alice).get(f"/spaces/{space.id}/")
    make_contents(space)
    make_client(auditor).get(f"/spaces/{space.id}/")

    assert issued(space) == []


def test_a_speaker_and_a_recorder(space: Space, bob: User, admin: User) -> None:
    bundle = make_contents(space)
    Participant.objects.create(space=space, name="Ida", role="speaker", seat=1, user=bob)
    token, _ = create_token("studio", 30, admin, [space.host], ["bundles"])

    make_client(bob).get(f"/spaces/{space.id}/my-lines.txt")
    make_client().get(download_path(bundle, token))

    assert issued(space) == [
        ("content.downloaded", bob.pk, "downloaded", "speaker"),
        ("content.downloaded", None, "downloaded", "recorder"),
    ]
    assert LogEntry.objects.get(actor_kind="recorder", space_id=space.pk).detail["recorder"] == str(token.pk)


def test_the_next_hour_is_an_entry_of_its_own(space: Space, alice: User) -> None:
    record_access(Kind.PLAYED, [space], alice)
    ContentAccess.objects.update(hour=F("hour") - timedelta(hours=1))

    record_access(Kind.PLAYED, [space], alice)

    assert issued(space) == [("content.played", alice.pk, "played", "host")] * 2


def test_a_repeated_access_costs_one_statement(space: Space, alice: User) -> None:
    others = [make_row(alice) for _ in range(5)]
    record_access(Kind.FOUND, [space, *others], alice)

    with CaptureQueriesContext(connection) as queries:
        record_access(Kind.FOUND, [space, *others], alice)

    statements = [query["sql"] for query in queries if "SAVEPOINT" not in query["sql"]]
    assert len(statements) == 1
    assert statements[0].startswith("INSERT INTO archive_contentaccess")


def test_row_and_entry_are_written_together(space: Space, alice: User) -> None:
    with transaction.atomic():
        record_access(Kind.READ, [space], alice)
        transaction.set_rollback(True)  # as if the process had died before the commit

    assert (issued(space), ContentAccess.objects.count()) == ([], 0)
    record_access(Kind.READ, [space], alice)
    assert issued(space) == [("content.read", alice.pk, "read", "host")]


@pytest.mark.usefixtures("committed")
def test_of_requests_at_once_one_writes_the_entry() -> None:
    alice = make_user("alice")
    space, ready = make_row(alice), threading.Barrier(AT_ONCE)

    def ask(_: int) -> None:
        connection.ensure_connection()
        ready.wait(10)
        record_access(Kind.PLAYED, [space], alice)
        connection.close()

    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(ask, range(AT_ONCE)))

    hours = ContentAccess.objects.filter(space=space).count()  # one, unless a new hour began during the test
    assert issued(space) == [("content.played", alice.pk, "played", "host")] * hours
    assert hours <= 2


def test_rows_are_deleted_after_a_day_and_with_the_space(space: Space, alice: User) -> None:
    other = make_row(alice)
    record_access(Kind.READ, [space, other], alice)
    ContentAccess.objects.filter(space=other).update(hour=F("hour") - timedelta(hours=26))

    assert delete_old() == 1
    assert [row.space_id for row in ContentAccess.objects.all()] == [space.pk]

    make_due(space)
    assert purge(space.pk)
    assert not ContentAccess.objects.exists()
    assert issued(space) == [("content.read", alice.pk, "read", "host")]


def test_a_bundle_on_the_command_line_is_logged(seeds: Space, tmp_path: Path) -> None:
    call_command("bundle", str(seeds.pk), "--out", str(tmp_path / "a.zip"), "--json")
    call_command("bundle", str(seeds.pk), "--json")  # only builds it

    assert issued(seeds) == [("content.downloaded", None, "downloaded", "operator")]


def test_a_failed_download_on_the_command_line_leaves_no_file(
    seeds: Space, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    call_command("bundle", str(seeds.pk), "--json")
    bundle = Bundle.objects.get()
    assert store().delete_same(bundle.key, bundle.etag)
    target = tmp_path / "a.zip"

    with pytest.raises(CommandError):
        call_command("bundle", str(seeds.pk), "--out", str(target))

    assert list(tmp_path.glob("a.zip*")) == []


def test_hosts_see_who_had_their_content(space: Space, alice: User, admin: User, bob: User) -> None:
    make_contents(space)
    token, _ = create_token("studio", 30, admin, [alice], ["bundles"])
    record_access(Kind.DOWNLOADED, [space], token)
    record_access(Kind.FOUND, [space], admin)
    record_access(Kind.PLAYED, [space], alice)
    for hour in range(1, 61):  # the list of others' accesses is not displaced by the host's own
        ContentAccess.objects.filter(grantee=f"user:{alice.pk}").update(hour=F("hour") - timedelta(hours=hour))
        record_access(Kind.PLAYED, [space], alice)

    page: Any = make_client(alice).get(f"/spaces/{space.id}/")

    def lines(which: str) -> list[tuple[str, str]]:
        return [(str(line.label), line.note) for line in getattr(page.context["accesses"], which)]

    assert lines("own") == [("Page with the player opened", "alice, as the host")] * 10
    of_recorder = ("Downloaded", "studio, by a recorder")
    assert lines("others") == [("Lines found by a search", "ada, as an admin"), of_recorder]
    assert "ada, as an admin" in page.content.decode()

    page = make_client(admin).get(f"/spaces/{space.id}/")

    assert {note for _label, note in lines("own")} == {"ada, as an admin"}
    assert [note for _label, note in lines("others")] == ["alice, as the host"] * 10 + ["studio, by a recorder"]


def test_hosts_read_that_nobody_else_had_their_content(space: Space, alice: User) -> None:
    record_access(Kind.PLAYED, [space], alice)

    assert "Nobody but you so far." in make_client(alice).get(f"/spaces/{space.id}/").content.decode()


def test_auditors_read_what_was_done(space: Space, auditor: User, admin: User) -> None:
    record_access(Kind.READ, [space], admin)

    page = make_client(auditor).get(f"/log/spaces/{space.id}/").content.decode()

    assert "Content accessed by an admin" in page
    assert "transcript read, as an admin" in page


def test_an_export_part_is_logged_for_each_space(seeds: Space, alice: User) -> None:
    part = exports.visible_parts(exports.request(alice, 2 * 10**9))[0]
    assert exports.build(part.pk)
    part.refresh_from_db()

    make_client().head(download_path(part, alice))

    assert issued(seeds) == [("content.downloaded", alice.pk, "downloaded", "host")]
