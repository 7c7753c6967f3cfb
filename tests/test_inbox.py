"""A recording with its sidecar in an inbox is imported once. Its outcome is written beside it, and it is removed once
it is safely stored."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from archive import recorders, tasks
from archive.errors import ObjectMissing
from archive.intake.arrivals.sources import source_of
from archive.models import Arrival, LogEntry, Participant, RecorderToken, Space, User
from archive.retention.reconcile import reconcile
from archive.storage import keys, store
from archive.storage.purge_prefix import purge_listing
from tests.support.arrivals import run_until_idle
from tests.support.inboxes import FolderInbox, Inbox, StoreInbox, sidecar
from tests.support.leases import end_pauses

pytestmark = pytest.mark.usefixtures("bucket")


@pytest.fixture
def token(db: None, alice: User, bob: User, admin: User) -> RecorderToken:
    return recorders.create_token("studio", 30, admin, [alice, bob])[0]


def open_inbox(kind: str, token: RecorderToken, settings: Any, folder: Path) -> Inbox:
    if kind == "folder":
        settings.INBOX_FOLDER = str(folder)
        return FolderInbox(folder / token.prefix)
    settings.INBOX_IN_STORE = True
    purge_listing(store(), store().listing(keys.INBOX))
    return StoreInbox(token.prefix)


@pytest.fixture(params=["folder", pytest.param("store", marks=pytest.mark.long)])
def inbox(request: pytest.FixtureRequest, token: RecorderToken, settings: Any, tmp_path: Path) -> Inbox:
    return open_inbox(request.param, token, settings, tmp_path / "inbox")


@pytest.fixture(params=["folder", "store"])
def each_inbox(request: pytest.FixtureRequest, token: RecorderToken, settings: Any, tmp_path: Path) -> Inbox:
    return open_inbox(request.param, token, settings, tmp_path / "inbox")


def scan_twice() -> None:
    """Scan as beat does, with the pause during which a file must not change."""
    tasks.scan_inboxes()
    end_pauses()
    tasks.scan_inboxes()


def work() -> None:
    scan_twice()
    run_until_idle()


def test_a_recording_becomes_a_space_and_leaves_the_inbox(each_inbox: Inbox, tone: Path, token: RecorderToken) -> None:
    inbox = each_inbox
    people = {"cohosts": ["Bo"], "speakers": ["Cy", {"name": "Di", "account": "bob"}]}
    inbox.drop("talk.m4a", tone, listeners_peak=12, listeners_total=40, audience="everyone", **people)

    work()

    space = Space.objects.get()
    assert inbox.outcome("talk.m4a") | {"at": ""} == {"outcome": "accepted", "space": str(space.pk), "at": ""}
    assert inbox.names() == ["talk.m4a.outcome.json"]
    assert (space.state, space.title, space.host.username, space.recorder) == ("available", "Seed swap", "alice", token)
    assert (space.listeners_peak, space.listeners_total, space.audience) == (12, 40, "everyone")
    assert list(Participant.objects.values_list("role", "name", "user__username")) == [
        ("host", "Alice", "alice"),
        ("cohost", "Bo", None),
        ("speaker", "Cy", None),
        ("speaker", "Di", "bob"),
    ]
    (recording,) = space.recordings.all()
    assert store().read(recording.key, 0, recording.size, recording.etag) == tone.read_bytes()
    assert LogEntry.objects.filter(event="arrival.source_removed", space_id=space.pk).count() == 1

    work()
    assert (Space.objects.count(), inbox.names()) == (1, ["talk.m4a.outcome.json"])


def test_a_recording_without_its_sidecar_waits_for_it(inbox: Inbox, tone: Path) -> None:
    inbox.put("talk.m4a", tone.read_bytes())
    work()
    assert (Arrival.objects.get().state, inbox.names()) == ("waiting", ["talk.m4a"])

    inbox.put("talk.m4a.json", json.dumps(sidecar()).encode())
    work()
    work()
    assert Space.objects.get().state == "available"


@pytest.mark.long
def test_after_a_day_without_a_sidecar_it_is_refused_and_may_still_be_corrected(inbox: Inbox, tone: Path) -> None:
    inbox.put("talk.m4a", tone.read_bytes())
    work()
    Arrival.objects.update(created_at=timezone.now() - timedelta(hours=25))
    work()
    assert inbox.outcome("talk.m4a")["code"] == "arrival.sidecar_missing"
    assert inbox.names() == ["talk.m4a", "talk.m4a.outcome.json"]

    inbox.put("talk.m4a.json", json.dumps(sidecar()).encode())
    work()
    assert inbox.outcome("talk.m4a")["outcome"] == "accepted"


def test_a_sidecar_without_a_recording_is_refused_after_a_day(inbox: Inbox) -> None:
    inbox.put("talk.m4a.json", json.dumps(sidecar()).encode())
    work()
    Arrival.objects.update(created_at=timezone.now() - timedelta(hours=25))
    work()

    assert inbox.outcome("talk.m4a")["code"] == "arrival.recording_missing"


@pytest.mark.long
def test_a_file_that_grows_is_not_taken(inbox: Inbox, tone: Path) -> None:
    inbox.drop("talk.m4a", b"RIFF")
    for size in (100, 200):
        tasks.scan_inboxes()
        end_pauses()
        inbox.put("talk.m4a", b"x" * size)
    tasks.scan_inboxes()
    assert Arrival.objects.get().state == "waiting"

    inbox.put("talk.m4a", tone.read_bytes())
    work()
    assert Space.objects.get().state == "available"


def test_two_scans_at_once_are_not_two_looks(inbox: Inbox, tone: Path) -> None:
    inbox.drop("talk.m4a", tone)
    tasks.scan_inboxes()
    tasks.scan_inboxes()

    assert Arrival.objects.get().state == "waiting"


WRONG: dict[str, tuple[str, dict[str, Any]]] = {
    "intake.no_such_host": ("talk", {"host": "ada"}),
    "arrival.sidecar_lacks": ("talk", {"ended_at": ...}),
    "arrival.sidecar_unknown_fields": ("talk", {"titel": "x"}),
    "intake.end_in_future": ("talk", {"ended_at": "2099-01-01T00:00:00Z"}),
    "intake.deadline_passed": ("talk", {"ended_at": "2020-01-01T00:00:00Z"}),
    "intake.host_missing": ("talk", {"host": ...}),
    "intake.title_too_long": ("talk", {"title": "x" * 301}),
    "intake.too_many_participants": ("talk", {"cohosts": ["a", "b", "c"]}),
    "intake.name_invalid": ("talk", {"speakers": [" "]}),
    "arrival.size_differs": ("talk", {"size": 1}),
    "arrival.empty": ("", {}),
}


def test_what_is_wrong_stays_with_its_outcome(token: RecorderToken, settings: Any, tmp_path: Path) -> None:
    settings.INBOX_FOLDER = str(tmp_path / "inbox")
    inbox = FolderInbox(tmp_path / "inbox" / token.prefix)
    for code, (content, changes) in WRONG.items():
        facts = {name: value for name, value in sidecar(**changes).items() if value is not ...}
        inbox.put(f"{code}.m4a", content.encode())
        inbox.put(f"{code}.m4a.json", json.dumps(facts).encode())

    work()

    for code in WRONG:
        outcome = inbox.outcome(f"{code}.m4a")
        assert (outcome["outcome"], outcome["space"], outcome["code"]) == ("refused", None, code)
        assert outcome["text"]
        assert f"{code}.m4a" in outcome["what_to_do"]
    files = [f"{code}.m4a{end}" for code in WRONG for end in ("", ".json", ".outcome.json")]
    assert sorted(inbox.names()) == sorted(files)
    assert not Space.objects.exists()


FIELDS: dict[str, object] = {
    "ended_at": "2026-11-22T14:05:00",
    "title": 7,
    "audience": "all",
    "transcribe": "yes",
    "listeners_peak": -1,
    "listeners_total": True,
    "size": "1",
    "sha256": "abc",
    "cohosts": "Bo",
    "speakers": [{"name": 1}],
    "host": "a\x00b",
}


@pytest.mark.parametrize("name", FIELDS)
def test_a_field_of_the_wrong_form_is_named(token: RecorderToken, settings: Any, tmp_path: Path, name: str) -> None:
    settings.INBOX_FOLDER = str(tmp_path / "inbox")
    inbox = FolderInbox(tmp_path / "inbox" / token.prefix)
    inbox.drop("talk.m4a", b"talk", **{name: FIELDS[name]})

    work()

    assert Arrival.objects.get().problem == {"code": "arrival.sidecar_field", "params": {"name": name}}


@pytest.mark.parametrize(
    ("text", "code"),
    [(b"", "import.not_json"), (b"{", "import.not_json"), (b"[]", "arrival.sidecar_no_object")],
)
def test_a_sidecar_that_is_no_object_is_refused(
    token: RecorderToken, settings: Any, tmp_path: Path, text: bytes, code: str
) -> None:
    settings.INBOX_FOLDER = str(tmp_path / "inbox")
    inbox = FolderInbox(tmp_path / "inbox" / token.prefix)
    inbox.put("talk.m4a", b"talk")
    inbox.put("talk.m4a.json", text)

    work()

    assert inbox.outcome("talk.m4a")["code"] == code


def test_a_corrected_sidecar_is_another_attempt(inbox: Inbox, tone: Path) -> None:
    inbox.drop("talk.m4a", tone, host="nobody-here")
    work()
    assert inbox.outcome("talk.m4a")["code"] == "intake.no_such_host"

    inbox.put("talk.m4a.json", json.dumps(sidecar()).encode())
    work()

    assert inbox.outcome("talk.m4a")["outcome"] == "accepted"
    assert inbox.names() == ["talk.m4a.outcome.json"]


def test_a_sidecar_that_was_written_again_after_it_was_read_stays(each_inbox: Inbox, tone: Path) -> None:
    inbox = each_inbox
    inbox.drop("talk.m4a", tone)
    scan_twice()
    tasks.take_arrival(str(Arrival.objects.get().pk))
    inbox.put("talk.m4a.json", json.dumps(sidecar(title="Corrected")).encode())

    run_until_idle()

    assert inbox.outcome("talk.m4a")["outcome"] == "accepted"
    assert inbox.names() == ["talk.m4a.json", "talk.m4a.outcome.json"]


def test_a_recording_that_is_none_stays_with_the_reason(inbox: Inbox) -> None:
    inbox.drop("notes.m4a", b"What we talked about.\n" * 50)
    work()

    space = Space.objects.get()
    assert (space.state, inbox.outcome("notes.m4a")["code"]) == ("rejected", space.problem_code)
    assert inbox.names() == ["notes.m4a", "notes.m4a.json", "notes.m4a.outcome.json"]


def test_a_wrong_checksum_is_refused(inbox: Inbox, tone: Path) -> None:
    inbox.drop("talk.m4a", tone, sha256="0" * 64)
    work()

    assert inbox.outcome("talk.m4a")["code"] == "upload.sha256_differs"


@pytest.mark.long
def test_the_same_recording_again_is_refused_as_a_duplicate(inbox: Inbox, tone: Path) -> None:
    facts = {"ended_at": "2026-11-20T14:05:00Z"} if timezone.now().year == 2026 else {}
    ended_at = facts.get("ended_at") or sidecar()["ended_at"]
    for name in ("talk.m4a", "again.m4a", "talk.m4a"):
        inbox.drop(name, tone, ended_at=ended_at)
        work()

    assert inbox.outcome("again.m4a")["code"] == "upload.duplicate_of"
    assert inbox.outcome("talk.m4a")["code"] == "upload.duplicate_of"
    assert Space.objects.filter(state="available").count() == 1


@pytest.mark.long
def test_names_below_folders_and_of_any_kind_are_taken(inbox: Inbox, tone: Path) -> None:
    for number, name in enumerate(("2026/talk", "Grüße & co.ogg", "x.json.m4a")):
        inbox.drop(name, tone, ended_at=(timezone.now() - timedelta(hours=3 + number)).isoformat())
    work()

    assert Space.objects.filter(state="available").count() == 3
    assert inbox.names() == ["2026/talk.outcome.json", "Grüße & co.ogg.outcome.json", "x.json.m4a.outcome.json"]


@pytest.mark.parametrize("kind", ["folder", pytest.param("store", marks=pytest.mark.long)])
def test_a_name_that_leaves_no_room_for_its_outcome_is_not_taken(
    kind: str, token: RecorderToken, settings: Any, tmp_path: Path, tone: Path
) -> None:
    """If its outcome could not be written, a recording would stay in the inbox forever after its import."""
    inbox = open_inbox(kind, token, settings, tmp_path / "inbox")
    # The limits are a key of 1,024 bytes in the store, and a file name of 255 bytes for the temporary file of the
    # outcome.
    below = ("x" * 99 + "/") * 10
    longest = "x" * 237 if kind == "folder" else below[: 1011 - len(keys.inbox(token.prefix))]
    inbox.drop(f"{longest}y", tone)
    inbox.drop(longest, tone)

    work()

    assert inbox.names() == sorted([f"{longest}.outcome.json", f"{longest}y", f"{longest}y.json"])
    assert Arrival.objects.filter(settled=False).count() == 0


def test_another_recorders_inbox_has_its_own_hosts(token: RecorderToken, admin: User, bob: User, settings: Any) -> None:
    settings.INBOX_IN_STORE = True
    purge_listing(store(), store().listing(keys.INBOX))
    other = recorders.create_token("van", 30, admin, [bob])[0]
    revoked = recorders.create_token("old", 30, admin, for_anybody=True)[0]
    recorders.revoke(revoked.pk, admin)
    for recorder in (other, revoked):
        StoreInbox(recorder.prefix).drop("talk.m4a", b"talk")
    StoreInbox("skr_000000000000").drop("talk.m4a", b"talk")

    work()

    arrival = Arrival.objects.get()
    assert (arrival.recorder, arrival.problem_code) == (other, "intake.no_such_host")


def test_the_same_name_in_another_inbox_holds_nothing_up(
    token: RecorderToken, admin: User, bob: User, settings: Any, tmp_path: Path, tone: Path
) -> None:
    settings.INBOX_FOLDER = str(tmp_path / "inbox")
    other = recorders.create_token("van", 30, admin, [bob])[0]
    first, second = (FolderInbox(tmp_path / "inbox" / one.prefix) for one in (token, other))
    first.put("talk.m4a", tone.read_bytes())  # without a sidecar
    scan_twice()
    second.drop("talk.m4a", tone, host="bob")

    work()

    assert second.outcome("talk.m4a")["outcome"] == "accepted"
    assert first.names() == ["talk.m4a"]


def test_links_out_of_the_folder_are_not_followed(token: RecorderToken, settings: Any, tmp_path: Path) -> None:
    settings.INBOX_FOLDER = str(tmp_path / "inbox")
    inbox = FolderInbox(tmp_path / "inbox" / token.prefix)
    (tmp_path / "secret.m4a").write_bytes(b"secret")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "a.m4a").write_bytes(b"secret")
    (inbox.folder / "talk.m4a").symlink_to(tmp_path / "secret.m4a")
    (inbox.folder / "below").symlink_to(tmp_path / "folder")
    inbox.put("talk.m4a.json", json.dumps(sidecar()).encode())
    (inbox.folder / ".partial.m4a").write_bytes(b"on its way")

    work()

    arrival = Arrival.objects.get()  # the sidecar waits for its recording
    assert (arrival.path, arrival.state, arrival.size) == ("talk.m4a", "waiting", None)


def test_a_folder_replaced_by_a_link_leads_to_no_other_inbox(
    token: RecorderToken, settings: Any, tmp_path: Path, tone: Path
) -> None:
    """After its recording was imported, a recorder replaces its own folder by a link to another recorder's inbox."""
    settings.INBOX_FOLDER = str(tmp_path)
    mine, theirs = FolderInbox(tmp_path / token.prefix), FolderInbox(tmp_path / "skr_0123456789ab")
    theirs.drop("talk.m4a", b"theirs")
    mine.drop("below/talk.m4a", tone)
    scan_twice()
    arrival = Arrival.objects.get()
    source = source_of(arrival)
    (mine.folder / "below").rename(mine.folder / ".before")
    (mine.folder / "below").symlink_to(theirs.folder)

    for touch in (
        source.look,
        source.read_sidecar,
        lambda: source.write_outcome(b"{}", lambda: None),
        lambda: source.remove(arrival.etag, arrival.version, lambda: None),
    ):
        with pytest.raises(ObjectMissing):
            touch()

    assert theirs.names() == ["talk.m4a", "talk.m4a.json"]


def test_a_folder_that_is_not_mounted_refuses_nothing(token: RecorderToken, settings: Any, tmp_path: Path) -> None:
    settings.INBOX_FOLDER = str(tmp_path / "inbox")
    inbox = FolderInbox(tmp_path / "inbox" / token.prefix)
    inbox.drop("talk.m4a", b"talk")
    scan_twice()
    Arrival.objects.update(created_at=timezone.now() - timedelta(hours=25))
    inbox.folder.rename(tmp_path / "elsewhere")

    tasks.take_arrival(str(Arrival.objects.get().pk))
    tasks.scan_inboxes()

    arrival = Arrival.objects.get()
    assert (arrival.state, arrival.problem_code) == ("pending", "arrival.folder_fails")


def test_rows_of_files_that_were_taken_away_disappear(inbox: Inbox, token: RecorderToken) -> None:
    prefix = f"{token.prefix}/" if isinstance(inbox, FolderInbox) else ""
    for name, state in (("waiting", "waiting"), ("refused", "refused"), ("fresh", "refused")):
        Arrival.objects.create(
            recorder=token,
            source="folder" if isinstance(inbox, FolderInbox) else "inbox",
            source_id=prefix + name,
            state=state,
            settled=state == "refused",
            problem={"code": "arrival.empty", "params": {}} if state == "refused" else {},
        )
    Arrival.objects.exclude(source_id=f"{prefix}fresh").update(created_at=timezone.now() - timedelta(hours=25))

    tasks.scan_inboxes()

    assert list(Arrival.objects.values_list("source_id", flat=True)) == [f"{prefix}fresh"]


@pytest.mark.usefixtures("empty_bucket")
def test_reconcile_leaves_an_inbox_alone(token: RecorderToken) -> None:
    inbox = StoreInbox(token.prefix)
    inbox.drop("talk.m4a", b"talk")
    store().client.create_multipart_upload(Bucket=store().bucket, Key=f"{inbox.prefix}open")

    first = reconcile(apply=True, age=timedelta(0))
    second = reconcile(apply=True, age=timedelta(0))

    for result in (first, second):
        assert result.facts == {
            **{kind: [] for kind in ("orphans", "ghosts", "uploads", "removed", "ended")},
            "unknown": [f"{inbox.prefix}open"],
        }
    assert len(inbox.names()) == 2
    assert len(store().uploads(inbox.prefix)) == 1
