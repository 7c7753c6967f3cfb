"""Rows and objects are compared in both directions; removals are few and delayed, and never affect work in progress."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db.models import F

from archive import dbtime
from archive.errors import make_problem
from archive.models import Bundle, LogEntry, ReconcileFinding, Space, UploadSession, User
from archive.retention.reconcile import Findings, reconcile
from archive.storage import keys, store
from tests.support.factory import make_contents, make_row
from tests.support.log_entries import event_detail, events
from tests.support.rows import update_space

pytestmark = pytest.mark.usefixtures("db", "empty_bucket")
NOW = timedelta(0)


@pytest.fixture
def space(alice: User) -> Space:
    space = make_row(alice)
    make_contents(space)
    return space


def put(key: str, body: bytes = b"stray") -> str:
    store().client.put_object(Bucket=store().bucket, Key=key, Body=body)
    return key


def object_exists(key: str) -> bool:
    return any(version.key == key for version in store().versions(key))


def again(**options: Any) -> Findings:
    return reconcile(apply=True, age=NOW, at_once=2, **options)


def test_consistent_rows_and_objects_are_left_alone(space: Space) -> None:
    again()

    assert again() == Findings()
    assert len(store().versions(keys.prefix(space.pk))) == 3
    assert not ReconcileFinding.objects.exists()


def test_an_orphan_is_removed_at_the_second_sighting(space: Space) -> None:
    stray = put(f"{keys.prefix(space.pk)}stray")

    first = again()
    assert (first.orphans, first.removed, object_exists(stray)) == ([stray], [], True)
    assert event_detail(space, "reconcile.orphan_found") == {"key": stray, "size": 5}
    second = again()

    assert (second.removed, object_exists(stray)) == ([stray], False)
    assert events(space) == ["reconcile.orphan_found", "reconcile.orphan_removed"]
    assert len(store().versions(keys.prefix(space.pk))) == 3
    assert not ReconcileFinding.objects.exists()


def test_sightings_a_day_apart_are_not_enough_for_a_young_object(space: Space) -> None:
    stray = put(f"{keys.prefix(space.pk)}stray")
    reconcile(apply=True)
    ReconcileFinding.objects.update(first_at=F("first_at") - timedelta(hours=25))

    assert reconcile(apply=True).removed == []
    assert object_exists(stray)


def test_two_sightings_too_close_count_as_one(space: Space) -> None:
    stray = put(f"{keys.prefix(space.pk)}stray")

    for _ in range(2):
        assert reconcile(apply=True).removed == []
    assert object_exists(stray)


def test_a_replaced_object_starts_its_sightings_again(space: Space) -> None:
    stray = put(f"{keys.prefix(space.pk)}stray")
    again()
    put(stray, b"another")

    assert again().removed == []
    assert again().removed == [stray]


def test_without_apply_nothing_is_written(space: Space) -> None:
    stray = put(f"{keys.prefix(space.pk)}stray")

    for _ in range(2):
        assert reconcile(age=NOW).orphans == [stray]
    assert object_exists(stray)
    assert not ReconcileFinding.objects.exists()
    assert not LogEntry.objects.exists()


def test_a_space_without_a_row(alice: User) -> None:
    nobody = make_row(alice)
    stray = put(keys.recording(nobody.pk, 1, "m4a"))
    nobody.delete()

    again()
    assert again().removed == [stray]


@pytest.mark.parametrize("state", ["receiving", "processing", "expiring"])
def test_spaces_in_progress_are_not_touched(alice: User, state: str) -> None:
    space = make_row(alice, state=state)
    fresh = put(keys.recording(space.pk, 1, "m4a"))

    assert [again().orphans, again().orphans] == [[], []]
    assert object_exists(fresh)


@pytest.mark.parametrize("state", ["requested", "building", "failed"])
def test_a_bundle_that_is_being_composed_is_not_touched(space: Space, state: str) -> None:
    bundle = Bundle.objects.create(
        space=space,
        content_digest="0" * 64,
        state=state,
        problem=make_problem("work.gave_up") if state == "failed" else {},
    )
    whole = put(keys.bundle(space.pk, bundle.pk))

    again()
    assert again().removed == []
    assert object_exists(whole)


def test_the_file_of_an_upload_session_is_not_touched(space: Space) -> None:
    key = put(f"{keys.prefix(space.pk)}incoming/one")
    UploadSession.objects.create(
        space=space, kind="transcript", name="a.vtt", size=5, part_size=5, key=key, upload_id="u", state="aborted"
    )

    again()
    assert again().orphans == []
    assert object_exists(key)


def test_a_row_written_between_two_sightings_keeps_its_object(space: Space) -> None:
    late = put(keys.transcript(space.pk, "2", "de"))
    assert again().orphans == [late]
    space.transcripts.create(number=2, language="de", cues=[], key=late, size=5, sha256="0" * 64, crc32=0, etag="x")

    assert again().orphans == []
    assert object_exists(late)
    assert not ReconcileFinding.objects.exists()


def test_a_run_removes_a_bounded_number(space: Space) -> None:
    for number in range(3):
        put(f"{keys.prefix(space.pk)}stray{number}")
    again()

    assert len(again(most=2).removed) == 2
    assert len(again(most=2).removed) == 1


def test_a_missing_object_is_an_alert_and_its_row_stays(space: Space, alice: User) -> None:
    others = [make_row(alice) for _ in range(5)]
    for other in others:
        make_contents(other)
    gone = space.recordings.get().key
    store().client.delete_object(Bucket=store().bucket, Key=gone)

    assert [again().ghosts, again().ghosts] == [[gone], [gone]]
    lost = space.recordings.get()
    assert event_detail(space, "object.missing") == {"key": gone, "size": lost.size, "sha256": lost.sha256}, "told once"
    assert lost.missing_at is not None
    assert space.recordings.get().key == gone


def test_a_missing_object_that_reappears_is_reported(space: Space) -> None:
    lost = space.recordings.get()
    store().client.delete_object(Bucket=store().bucket, Key=lost.key)
    again()
    put(lost.key, b"sound")

    assert again() == Findings()
    assert events(space) == ["object.missing", "object.found"]
    assert space.recordings.get().missing_at is None
    assert not ReconcileFinding.objects.exists()


def test_a_missing_object_is_reported_once(space: Space) -> None:
    space.recordings.update(missing_at=dbtime.now())
    store().client.delete_object(Bucket=store().bucket, Key=space.recordings.get().key)

    assert len(again().ghosts) == 1
    assert events(space) == []


def test_a_space_deleted_meanwhile_has_no_missing_objects(space: Space) -> None:
    store().client.delete_object(Bucket=store().bucket, Key=space.recordings.get().key)
    again()
    update_space(space, state="expiring")

    assert again().ghosts == []
    assert events(space) == ["object.missing"]


def test_a_space_without_objects_reports_every_row(space: Space) -> None:
    store().delete(store().versions(keys.prefix(space.pk)))

    assert len(reconcile().ghosts) == 3


@pytest.mark.parametrize("over", [{"state": "expiring"}, {"expires_at": "past"}])
def test_a_space_being_deleted_has_no_missing_objects(space: Space, over: dict[str, Any]) -> None:
    update_space(space, **{name: dbtime.now() if value == "past" else value for name, value in over.items()})
    store().delete(store().versions(keys.prefix(space.pk)))

    assert reconcile().ghosts == []


def test_an_old_orphaned_upload_is_aborted(space: Space) -> None:
    ours, stray = f"{keys.prefix(space.pk)}ours", f"{keys.prefix(space.pk)}stray"
    for key in (ours, stray):
        store().client.create_multipart_upload(Bucket=store().bucket, Key=key)
    ((_, upload_id),) = store().uploads(ours)
    UploadSession.objects.create(
        space=space, kind="transcript", name="a.vtt", size=5, part_size=5, key=ours, upload_id=upload_id
    )

    assert reconcile(apply=True).uploads == [], "it is not a day old"
    assert again().ended == [stray]

    assert [key for key, _ in store().uploads(keys.prefix(space.pk))] == [ours]
    assert events(space) == ["reconcile.upload_aborted"]


def test_leftovers_of_a_capability_check_are_removed() -> None:
    source = put("rehearsal/1/source")
    store().client.create_multipart_upload(Bucket=store().bucket, Key="rehearsal/1/copy")

    young = reconcile(apply=True)
    assert (young.removed, young.ended) == ([], []), "somebody may be trying right now"
    findings = again()

    assert (findings.unknown, findings.removed, object_exists(source)) == ([], [source], False)
    assert not store().listing("rehearsal/")
    assert {entry.event for entry in LogEntry.objects.filter(space_id=None)} == {
        "reconcile.orphan_found",
        "reconcile.orphan_removed",
        "reconcile.upload_aborted",
    }


def test_unknown_keys_are_reported_and_kept() -> None:
    foreign = [put("foreign/file"), put("spaces/not-an-id/x"), put("spaces/loose")]

    again()
    assert sorted(again().unknown) == sorted(foreign)
    assert all(object_exists(key) for key in foreign)


def test_the_reconcile_command(space: Space, capsys: pytest.CaptureFixture[str]) -> None:
    stray = put(f"{keys.prefix(space.pk)}stray")
    call_command("reconcile", "--json")
    assert json.loads(capsys.readouterr().out)["orphans"] == [stray]
    store().client.delete_object(Bucket=store().bucket, Key=space.recordings.get().key)

    with pytest.raises(CommandError, match="1 stored object missing"):
        call_command("reconcile")
    assert f"orphan                 {stray}" in capsys.readouterr().out
