"""Transitions: those of the table and no others, each with its log entry, and only one winner."""

import itertools
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db.models import Q

from archive.errors import make_problem
from archive.lifecycle import TRANSITIONS, transition
from archive.log import SYSTEM, Actor
from archive.models import Bundle, LogEntry, Rule, Space, Transcription, UploadSession, User, Violation
from tests.factory import make_row

pytestmark = pytest.mark.usefixtures("db")

NOON = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)
LEGAL = {
    ("Space", "receiving", "processing"): "space.received",
    ("Space", "processing", "available"): "space.available",
    ("Space", "processing", "rejected"): "space.rejected",
    ("Space", "receiving", "expiring"): "deletion.started",
    ("Space", "processing", "expiring"): "deletion.started",
    ("Space", "available", "expiring"): "deletion.started",
    ("Space", "rejected", "expiring"): "deletion.started",
    ("Space", "expiring", "deleted"): "space.deleted",
    ("UploadSession", "open", "uploaded"): "upload.completed",
    ("UploadSession", "uploaded", "accepted"): "upload.accepted",
    ("UploadSession", "uploaded", "rejected"): "upload.rejected",
    ("UploadSession", "rejected", "uploaded"): "upload.retried",
    ("UploadSession", "open", "aborted"): "upload.aborted",
    ("Transcription", "requested", "running"): "transcription.started",
    ("Transcription", "running", "done"): "transcription.done",
    ("Transcription", "requested", "failed"): "transcription.failed",
    ("Transcription", "running", "failed"): "transcription.failed",
    ("Bundle", "requested", "building"): "bundle.started",
    ("Bundle", "building", "ready"): "bundle.ready",
    ("Bundle", "requested", "failed"): "bundle.failed",
    ("Bundle", "building", "failed"): "bundle.failed",
    ("Bundle", "ready", "removed"): "bundle.removed",
    ("Bundle", "ready", "failed"): "bundle.failed",
    ("ExportPart", "requested", "building"): "export_part.started",
    ("ExportPart", "building", "ready"): "export_part.ready",
    ("ExportPart", "requested", "failed"): "export_part.failed",
    ("ExportPart", "building", "failed"): "export_part.failed",
    ("ExportPart", "ready", "failed"): "export_part.failed",
    ("ExportPart", "ready", "removed"): "export_part.removed",
    ("Notice", "pending", "sent"): "notice.sent",
    ("Notice", "pending", "web-only"): "notice.web_only",
    ("Notice", "pending", "obsolete"): "notice.obsolete",
    ("Notice", "obsolete", "pending"): "notice.requeued",
    ("Notice", "pending", "failed"): "notice.failed",
    ("Violation", "standing", "appealed"): "violation.appealed",
    ("Violation", "appealed", "standing"): "violation.upheld",
    ("Violation", "standing", "lifted"): "violation.lifted",
    ("Violation", "appealed", "lifted"): "violation.lifted",
    ("Appeal", "open", "denied"): "appeal.denied",
    ("Appeal", "open", "granted"): "appeal.granted",
    ("Hold", "standing", "released"): "hold.released",
}


def test_the_table() -> None:
    assert {(model.__name__, old, new): event for (model, old, new), event in TRANSITIONS.items()} == LEGAL


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pair
        for pair in itertools.product(
            ["receiving", "processing", "available", "rejected", "expiring", "deleted"], repeat=2
        )
        if ("Space", *pair) not in LEGAL
    ],
)
def test_what_is_not_in_the_table_is_refused(alice: User, old: str, new: str) -> None:
    space = make_row(alice)

    with pytest.raises(KeyError):
        transition(space, old, new, actor=SYSTEM)

    assert Space.objects.get(pk=space.pk).state == "available"


def test_a_move_changes_the_row_and_the_log(alice: User) -> None:
    space = make_row(alice, state="receiving")

    moved = transition(
        space,
        "receiving",
        "processing",
        actor=Actor("user", 7),
        detail={"size": 10},
        problem=make_problem("work.gave_up"),
    )

    assert moved
    assert (space.state, space.problem) == ("processing", make_problem("work.gave_up"))
    stored = Space.objects.get(pk=space.pk)
    assert (stored.state, stored.problem) == ("processing", make_problem("work.gave_up"))
    (entry,) = LogEntry.objects.filter(space_id=space.pk)
    assert (entry.event, entry.premis, entry.detail) == ("space.received", "ingestion", {"size": 10})
    assert (entry.actor_kind, entry.actor_id) == ("user", 7)


def test_what_moved_is_named_in_the_entry(alice: User, admin: User) -> None:
    space = make_row(alice)
    speech = Transcription.objects.create(space=space)
    upload = UploadSession.objects.create(space=space, kind="recording", size=10, part_size=5, key="k", upload_id="u")
    bundle = Bundle.objects.create(space=space, content_digest="c")
    violation = Violation.objects.create(space=space, rule=Rule.objects.get(code="spam"), flagged_by=admin)

    assert transition(bundle, "requested", "building", actor=SYSTEM)
    assert transition(violation, "standing", "lifted", actor=SYSTEM, lifted_at=NOON, lifted_by=admin)
    assert transition(speech, "requested", "running", actor=SYSTEM)
    assert transition(upload, "open", "aborted", actor=SYSTEM)

    assert list(LogEntry.objects.filter(space_id=space.pk).order_by("id").values_list("event", "detail")) == [
        ("bundle.started", {"bundle": str(bundle.pk)}),
        ("violation.lifted", {"violation": str(violation.pk)}),
        ("transcription.started", {"transcription": str(speech.pk)}),
        ("upload.aborted", {"upload": str(upload.pk)}),
    ]


def test_a_lost_race_changes_nothing_and_logs_nothing(alice: User) -> None:
    space, late = (row := make_row(alice)), Space.objects.get(pk=row.pk)
    assert transition(space, "available", "expiring", actor=SYSTEM)

    assert not transition(late, "available", "expiring", actor=SYSTEM, problem=make_problem("work.gave_up"))

    assert (late.state, late.problem) == ("available", {})
    assert Space.objects.get(pk=space.pk).problem == {}
    assert LogEntry.objects.filter(space_id=space.pk).count() == 1


@pytest.mark.parametrize(("fence", "moved"), [(3, True), (2, False)])
def test_a_condition_must_still_hold(alice: User, fence: int, moved: bool) -> None:
    space = make_row(alice, fence=3)

    assert transition(space, "available", "expiring", actor=SYSTEM, condition=Q(fence=fence)) is moved

    assert Space.objects.get(pk=space.pk).state == ("expiring" if moved else "available")
    assert LogEntry.objects.filter(space_id=space.pk).count() == int(moved)


def test_without_its_entry_there_is_no_move(alice: User) -> None:
    space = make_row(alice)
    not_json: dict[str, Any] = {"at": NOON}

    with pytest.raises(TypeError):
        transition(space, "available", "expiring", actor=SYSTEM, detail=not_json)

    assert Space.objects.get(pk=space.pk).state == "available"
    assert not LogEntry.objects.filter(space_id=space.pk).exists()
