"""Files that have been in an inbox longer than a recording may be kept are removed, and no others."""

import errno
import json
import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from archive import recorders, tasks
from archive.models import Arrival, LogEntry, RecorderToken, User
from archive.storage import keys, store
from archive.storage.purge_prefix import purge_listing
from tests.support.inboxes import FolderInbox, Inbox, sidecar
from tests.test_inbox import open_inbox, work

pytestmark = pytest.mark.usefixtures("bucket")

TALK = ["talk.m4a", "talk.m4a.json", "talk.m4a.outcome.json"]


@pytest.fixture
def token(db: None, alice: User, admin: User) -> RecorderToken:
    return recorders.create_token("studio", 30, admin, [alice])[0]


@pytest.fixture(params=["folder", "store"])
def inbox(request: pytest.FixtureRequest, token: RecorderToken, settings: Any, tmp_path: Path) -> Inbox:
    return open_inbox(request.param, token, settings, tmp_path / "inbox")


@pytest.fixture
def folder(token: RecorderToken, settings: Any, tmp_path: Path) -> FolderInbox:
    settings.INBOX_FOLDER = str(tmp_path / "inbox")
    return FolderInbox(tmp_path / "inbox" / token.prefix)


def days_ago(days: float) -> Any:
    return timezone.now() - timedelta(days=days)


def refuse(inbox: Inbox, *, ended_days_ago: float, created_days_ago: float) -> None:
    """Drop a recording for a host that does not exist."""
    inbox.drop("talk.m4a", b"talk", host="nobody-here", ended_at=days_ago(ended_days_ago).isoformat())
    work()
    assert Arrival.objects.get().problem_code == "intake.no_such_host"
    Arrival.objects.update(created_at=days_ago(created_days_ago))


@pytest.mark.parametrize(
    ("ended", "created", "left"),
    [
        (29, 2, TALK),
        (30.01, 2, TALK[2:]),  # 30 days after its end
        (300, 0.9, TALK),  # a wrong date can be corrected for a day
        (300, 1.1, TALK[2:]),
        (-300, 29.9, TALK),
        (-300, 30.1, TALK[2:]),  # an end in the future does not prolong it
    ],
)
def test_a_refused_recording_goes_with_its_deadline(
    folder: FolderInbox, ended: float, created: float, left: list[str]
) -> None:
    refuse(folder, ended_days_ago=ended, created_days_ago=created)

    tasks.clean_inboxes()

    assert folder.names() == left
    assert Arrival.objects.count() == (1 if left == TALK else 0)


def test_the_same_in_the_store_and_what_is_logged(inbox: Inbox, token: RecorderToken) -> None:
    refuse(inbox, ended_days_ago=31, created_days_ago=2)
    size = 4 + len(inbox.get("talk.m4a.json"))

    tasks.clean_inboxes()
    tasks.clean_inboxes()

    assert inbox.names() == ["talk.m4a.outcome.json"]
    source = "folder" if isinstance(inbox, FolderInbox) else "inbox"
    detail = {"recorder": str(token.pk), "source": source, "object_count": 2, "size": size}
    entries = LogEntry.objects.filter(event__startswith="inbox.").order_by("id").values_list("event", "detail")
    assert [event for event, _ in entries] == ["inbox.expired", "inbox.cleaned"]
    for _, logged in entries:
        assert logged | {"first_seen_at": ""} == detail | {"first_seen_at": ""}


def test_old_files_of_any_name_and_of_revoked_tokens_are_removed(
    inbox: Inbox, token: RecorderToken, admin: User, settings: Any
) -> None:
    """An outcome, a partial file, a recording without a sidecar, and files of a revoked token; also after inboxes in
    the store were switched off."""
    purge_listing(store(), store().listing(keys.INBOX))
    names = ["below/talk.m4a", "old.m4a.outcome.json", ".partial.m4a", "x.json", "grüße & co.ogg"]
    for name in names:
        inbox.put(name, b"talk")
    recorders.revoke(token.pk, admin)
    settings.INBOX_IN_STORE = False

    tasks.clean_inboxes()
    assert inbox.names() == sorted(names)

    settings.RETENTION_DAYS = 0
    tasks.clean_inboxes()
    assert inbox.names() == []


@pytest.mark.parametrize(
    ("fields", "left"),
    [
        ({"state": "pending"}, TALK[:2]),
        ({"state": "copying"}, TALK[:2]),
        ({"state": "examining"}, TALK[:2]),
        ({"state": "accepted"}, TALK[:2]),
        ({"state": "refused", "problem": {"code": "arrival.empty", "params": {}}}, TALK[:2]),
        ({"state": "waiting"}, []),  # revoked for more than a day, so its inbox is not scanned
        ({"state": "accepted", "settled": True}, []),
    ],
)
def test_a_file_of_an_arrival_at_work_stays(
    folder: FolderInbox, token: RecorderToken, fields: dict[str, Any], left: list[str], settings: Any
) -> None:
    folder.drop("talk.m4a", b"talk")
    arrival = Arrival.objects.create(recorder=token, source="folder", source_id=f"{token.prefix}/talk.m4a", **fields)
    Arrival.objects.filter(pk=arrival.pk).update(created_at=days_ago(2))
    settings.RETENTION_DAYS = 0

    tasks.clean_inboxes()

    assert folder.names() == left


def test_a_corrected_sidecar_and_a_replaced_recording_have_a_time_of_their_own(folder: FolderInbox) -> None:
    refuse(folder, ended_days_ago=300, created_days_ago=40)
    folder.put("talk.m4a", b"another talk")
    folder.put("talk.m4a.json", json.dumps(sidecar()).encode())

    tasks.clean_inboxes()

    assert folder.names() == TALK


def test_only_folders_of_recorders_are_cleaned_and_links_stay(
    folder: FolderInbox, settings: Any, tmp_path: Path, token: RecorderToken
) -> None:
    outside = FolderInbox(tmp_path / "outside")
    stranger, unknown = (
        FolderInbox(tmp_path / "inbox" / "documents"),
        FolderInbox(tmp_path / "inbox" / "skr_0123456789ab"),
    )
    for inbox in (outside, stranger, unknown):
        inbox.put("talk.m4a", b"talk")
    (folder.folder / "link.m4a").symlink_to(outside.folder / "talk.m4a")
    (folder.folder / "below").symlink_to(outside.folder)
    os.mkfifo(folder.folder / "pipe")
    settings.RETENTION_DAYS = 0

    tasks.clean_inboxes()

    assert [inbox.names() for inbox in (outside, stranger, unknown)] == [["talk.m4a"]] * 3
    assert sorted(path.name for path in folder.folder.iterdir()) == ["below", "link.m4a", "pipe"]


def test_the_time_of_a_copied_file_does_not_count(folder: FolderInbox, settings: Any) -> None:
    """`cp -p` and `rsync -t` give a copy the time of its original, and a wrong clock gives any time."""
    folder.put("talk.m4a", b"talk")
    os.utime(folder.folder / "talk.m4a", (0, 0))

    tasks.clean_inboxes()

    assert folder.names() == ["talk.m4a"]


def test_an_upload_to_an_inbox_that_was_never_completed_is_aborted(token: RecorderToken, settings: Any) -> None:
    purge_listing(store(), store().listing(keys.INBOX))
    key = keys.inbox(token.prefix) + "talk.m4a"
    store().client.create_multipart_upload(Bucket=store().bucket, Key=key)
    ours = store().client.create_multipart_upload(Bucket=store().bucket, Key="spaces/x")

    tasks.clean_inboxes()
    assert len(store().uploads(keys.INBOX)) == 1
    settings.RETENTION_DAYS = 0
    tasks.clean_inboxes()

    assert store().uploads(keys.INBOX) == ()
    assert LogEntry.objects.filter(event="inbox.upload_aborted").count() == 1
    assert ("spaces/x", ours["UploadId"]) in store().uploads("spaces/x")
    store().abort("spaces/x", ours["UploadId"])


def test_rows_are_deleted_with_their_deadline_also_without_a_file(token: RecorderToken, folder: FolderInbox) -> None:
    refused = {"settled": True, "problem": {"code": "arrival.empty", "params": {}}}
    cases: list[tuple[str, float, dict[str, Any]]] = [
        ("old", 30.1, {"state": "refused", **refused}),
        ("waiting", 30.1, {"state": "waiting"}),
        ("young", 29, {"state": "refused", **refused}),
        ("pending", 30.1, {"state": "pending"}),
    ]
    for name, age, fields in cases:
        row = Arrival.objects.create(recorder=token, source="folder", source_id=name, **fields)
        Arrival.objects.filter(pk=row.pk).update(created_at=days_ago(age))

    tasks.clean_inboxes()

    assert sorted(Arrival.objects.values_list("source_id", flat=True)) == ["pending", "young"]


def test_a_file_that_cannot_be_removed_stops_no_other_and_is_logged_once(
    folder: FolderInbox, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tests may run as root, who can remove anything, so a failing disk is simulated."""
    for name in ("a.m4a", "b.m4a"):
        folder.put(name, b"talk")
    unlink = os.unlink

    def fail(name: str, *, dir_fd: int) -> None:
        if name == "a.m4a":
            raise PermissionError(errno.EPERM, "not permitted")
        unlink(name, dir_fd=dir_fd)

    monkeypatch.setattr(os, "unlink", fail)
    settings.RETENTION_DAYS = 0

    for _ in range(3):
        tasks.clean_inboxes()

    assert folder.names() == ["a.m4a"]
    counts = LogEntry.objects.filter(event__startswith="inbox.", detail__source="folder").order_by("id")
    assert list(counts.values_list("event", "detail__object_count")) == [
        ("inbox.expired", 2),
        ("inbox.cleaned", 1),
        ("inbox.expired", 1),
    ]
