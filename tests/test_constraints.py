"""The database itself enforces the invariants: for each named constraint, a test tries to break it."""

from collections.abc import Callable
from copy import copy
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import psycopg
import pytest
from django.apps import apps
from django.db import IntegrityError, connection, models, transaction
from django.db.models import F

from archive.errors import make_problem
from archive.models import (
    AccountMail,
    Appeal,
    Arrival,
    Bundle,
    CheckpointCopy,
    CheckpointMail,
    ContentAccess,
    DatabaseRestore,
    DeletionCertificate,
    Derived,
    Digest,
    Export,
    ExportPart,
    ExportPartEntry,
    Feed,
    Heartbeat,
    Hold,
    IdempotencyKey,
    Invitation,
    LiveKitParticipant,
    LiveKitRoom,
    LogCheckpoint,
    LogCosignature,
    LogLeaf,
    LogNode,
    LogVerification,
    Notice,
    Participant,
    ReasonTemplate,
    ReconcileFinding,
    RecorderToken,
    Recording,
    Rule,
    SavedLogView,
    SearchLine,
    SigningKeyEvent,
    Space,
    Transcript,
    Transcription,
    UploadPart,
    UploadSession,
    User,
    Violation,
    WebhookDelivery,
    WebhookEndpoint,
)
from tests.support.factory import make_row

pytestmark = pytest.mark.usefixtures("db")

NOON = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)
LATER = datetime(2100, 1, 1, tzinfo=UTC)
STORED = {"size": 10, "sha256": "a" * 64, "crc32": 1, "etag": '"e"'}
READY: dict[str, Any] = {"key": "k", "size": 10, "etag": '"e"', "ready_at": NOON, "name": "a.zip"}
PROBLEM = make_problem("work.gave_up")
SCRUBBED: dict[str, Any] = {
    "title": "",
    "title_key": None,
    "duration_ms": None,
    "salt": "",
    "fingerprint": "",
    "problem": {},
}


@pytest.fixture
def rows(alice: User, admin: User) -> dict[str, models.Model]:
    """Create one valid row of each kind."""
    space = make_row(alice, expires_at=None)
    violation = Violation.objects.create(space=space, rule=Rule.objects.get(code="spam"), flagged_by=admin)
    transcript = Transcript.objects.create(space=space, key="t", language="en", cues=[], **STORED)
    token = RecorderToken.objects.create(name="van", prefix="skr_van", secret_sha256="a" * 64, expires_at=NOON)
    upload = {"kind": "recording", "size": 10, "part_size": 5, "key": "u", "upload_id": "u"}
    sound = {"extension": "m4a", "content_type": "audio/mp4", "codec": "aac", "sample_rate": 8000, "channels": 1}
    export = Export.objects.create(host=alice, max_part_size=2 * 10**9)
    export_part = ExportPart.objects.create(export=export, number=1, state="ready", **READY)
    return {
        "export": export,
        "export_part": export_part,
        "place": ExportPartEntry.objects.create(export_part=export_part, space=space),
        "space": space,
        "participant": Participant.objects.create(space=space, role="speaker", seat=1, name="Ida"),
        "recording": Recording.objects.create(space=space, key="r", duration_ms=1000, **STORED, **sound),
        "transcript": transcript,
        "line": SearchLine.objects.create(transcript=transcript, space=space, number=0, config="simple", vector=""),
        "access": ContentAccess.objects.create(space=space, grantee="command", kind="read", hour=NOON),
        "derived": Derived.objects.create(space=space, kind="peaks", key="d", **STORED),
        "upload": (session := UploadSession.objects.create(space=space, **upload)),
        "part": UploadPart.objects.create(session=session, number=1),
        "arrival": Arrival.objects.create(recorder=token, source="inbox", source_id="talk.m4a", version="1"),
        "room": (room := LiveKitRoom.objects.create(recorder=token, sid="RM_1")),
        "connection": LiveKitParticipant.objects.create(room=room, sid="PA_1"),
        "transcription": Transcription.objects.create(space=space),
        "token": token,
        "idempotency": IdempotencyKey.objects.create(recorder=token, key="1", space=space),
        "mine": IdempotencyKey.objects.create(user=alice, key="1", space=space),
        "violation": violation,
        "notice": Notice.objects.create(kind="flagged", user=alice, space=space, subject_id="1"),
        "appeal": Appeal.objects.create(violation=violation, statement="No.", created_by=alice),
        "hold": Hold.objects.create(space=space, reason="A court.", placed_by=admin, case_number="7 C 1/26"),
        "template": ReasonTemplate.objects.create(rule_code="spam", name="Watches", text="Watches were sold."),
        "digest": Digest.objects.create(
            user=alice, week=NOON.date() - timedelta(days=NOON.weekday()), since=NOON, until=NOON
        ),
        "account_mail": AccountMail.objects.create(content="x"),
        "webhook": (webhook := WebhookEndpoint.objects.create(name="Desk", url="https://a.org", owner=admin)),
        "delivery": WebhookDelivery.objects.create(
            endpoint=webhook, event="space.flagged", space=space, subject_id="1"
        ),
        "feed": Feed.objects.create(kind="calendar", user=alice),
        "heartbeat": Heartbeat.objects.create(process="celery@host", queue="deletion", version="1", seen_at=NOON),
        "view": SavedLogView.objects.create(user=admin, name="Played", query="event=played"),
        "sighting": ReconcileFinding.objects.create(kind="orphan", key="s"),
        "bundle": Bundle.objects.create(space=space, content_digest="c", state="ready", **READY),
        "invitation": Invitation.objects.create(
            email="ines@example.org", token_sha256="a" * 64, by_mail=True, expires_at=NOON
        ),
    }


ATTEMPTS: list[tuple[str, str, dict[str, Any]]] = [
    ("space_state_known", "space", {"state": "lost"}),
    ("space_deadline_after_end", "space", {"expires_at": F("ended_at")}),
    ("space_starts_before_end", "space", {"started_at": F("ended_at")}),
    ("content_access_kind_known", "access", {"kind": "heard"}),
    ("feed_kind_known", "feed", {"kind": "podcast"}),
    ("digest_state_known", "digest", {"state": "lost"}),
    ("digest_week_begins_on_monday", "digest", {"week": F("week") + timedelta(days=1)}),
    ("saved_log_view_has_a_name", "view", {"name": ""}),
    ("account_mail_state_known", "account_mail", {"state": "lost"}),
    ("space_deleted_has_its_time", "space", {"deleted_at": NOON}),
    ("space_deleted_has_its_time", "space", {"state": "deleted", "expires_at": LATER, **SCRUBBED}),
    ("space_never_deleted_while_held", "space", {"state": "expiring", "expires_at": None}),
    (
        "space_never_deleted_while_held",
        "space",
        {"state": "deleted", "expires_at": None, "deleted_at": NOON, **SCRUBBED},
    ),
    *(
        (
            "space_deleted_is_scrubbed",
            "space",
            {"state": "deleted", "expires_at": LATER, "deleted_at": NOON, **SCRUBBED, left: value},
        )
        for left, value in (
            *((name, "something") for name in ("title", "title_key", "salt", "fingerprint", "problem")),
            ("duration_ms", 1000),
        )
    ),
    ("finding_kind_known", "sighting", {"kind": "ufo"}),
    ("space_rejected_has_a_reason", "space", {"state": "rejected", "problem": {}}),
    ("participant_seats", "participant", {"role": "host", "seat": 2}),
    ("participant_seats", "participant", {"role": "cohost", "seat": 3}),
    ("participant_seats", "participant", {"role": "speaker", "seat": 11}),
    ("participant_seats", "participant", {"role": "speaker", "seat": 0}),
    ("participant_seats", "participant", {"role": "listener", "seat": 1}),
    ("participant_named", "participant", {"name": ""}),
    *(
        attempt
        for kind in ("recording", "transcript", "derived")
        for attempt in (
            (f"{kind}_size_positive", kind, {"size": 0}),
            (f"{kind}_sha256_hex", kind, {"sha256": "A" * 64}),
            (f"{kind}_sha256_hex", kind, {"sha256": "a" * 63}),
            (f"{kind}_crc32_32_bits", kind, {"crc32": 4_294_967_296}),
        )
    ),
    ("derived_kind_known", "derived", {"kind": "guess"}),
    ("upload_state_known", "upload", {"state": "lost"}),
    ("upload_kind_known", "upload", {"kind": "picture"}),
    ("upload_sizes_positive", "upload", {"size": 0}),
    ("upload_sizes_positive", "upload", {"part_size": 0}),
    ("upload_sha256_hex", "upload", {"sha256": "A" * 64}),
    ("upload_rejected_has_a_reason", "upload", {"state": "rejected"}),
    ("upload_completed_has_its_object", "upload", {"state": "uploaded"}),
    ("upload_completed_has_its_object", "upload", {"state": "accepted"}),
    ("arrival_source_known", "arrival", {"source": "post"}),
    ("arrival_state_known", "arrival", {"state": "lost"}),
    ("arrival_refused_has_a_reason", "arrival", {"state": "refused"}),
    *(("livekit_listener_has_no_name", "connection", {name: "Ida"}) for name in ("identity", "name", "account")),
    ("transcription_state_known", "transcription", {"state": "lost"}),
    ("transcription_progress_within_total", "transcription", {"done_ms": 2, "total_ms": 1}),
    ("transcription_failed_has_a_reason", "transcription", {"state": "failed"}),
    ("idempotency_key_of_one", "idempotency", {"recorder": None}),
    ("idempotency_key_of_one", "mine", {"user": None}),
    ("token_hash_hex", "token", {"secret_sha256": "a" * 63}),
    ("token_for_anybody_downloads_nothing", "token", {"for_anybody": True, "scopes": ["bundles"]}),
    ("recording_has_length", "recording", {"duration_ms": 0}),
    ("violation_state_known", "violation", {"state": "forgotten"}),
    ("violation_lifted_has_actor_and_time", "violation", {"state": "lifted", "lifted_by": F("flagged_by")}),
    ("violation_lifted_has_actor_and_time", "violation", {"state": "lifted", "lifted_at": NOON}),
    ("violation_lifted_has_actor_and_time", "violation", {"lifted_at": NOON}),
    ("violation_lifted_has_actor_and_time", "violation", {"lifted_by": F("flagged_by")}),
    ("notice_kind_known", "notice", {"kind": "gossip"}),
    ("notice_state_known", "notice", {"state": "lost"}),
    ("notice_sent_has_its_time", "notice", {"state": "sent"}),
    ("notice_sent_has_its_time", "notice", {"sent_at": NOON}),
    ("notice_unsent_has_a_reason", "notice", {"state": "obsolete"}),
    ("notice_unsent_has_a_reason", "notice", {"state": "failed"}),
    ("notice_reminder_has_its_deadline", "notice", {"kind": "due-7-days"}),
    ("notice_reminder_has_its_deadline", "notice", {"kind": "due-1-day"}),
    ("notice_reminder_has_its_deadline", "notice", {"deadline": NOON}),
    ("violation_evidence_is_of_a_transcript", "violation", {"evidence": [{"line": 1}]}),
    ("appeal_state_known", "appeal", {"state": "lost", "decided_at": NOON, "decided_by": F("created_by")}),
    ("appeal_decided_has_actor_and_time", "appeal", {"state": "denied", "decided_by": F("created_by")}),
    ("appeal_decided_has_actor_and_time", "appeal", {"state": "granted", "decided_at": NOON}),
    ("appeal_decided_has_actor_and_time", "appeal", {"decided_at": NOON}),
    ("space_review_has_actor_and_time", "space", {"reviewed_at": NOON}),
    ("space_review_has_actor_and_time", "space", {"reviewed_by": F("host")}),
    ("hold_state_known", "hold", {"state": "lost", "released_at": NOON, "released_by": F("placed_by")}),
    ("hold_released_has_actor_and_time", "hold", {"state": "released", "released_by": F("placed_by")}),
    ("hold_released_has_actor_and_time", "hold", {"state": "released", "released_at": NOON}),
    ("hold_released_has_actor_and_time", "hold", {"released_by": F("placed_by")}),
    *(
        (f"{kind.replace('_', '')}_{name}", kind, changes)
        for kind in ("bundle", "export_part")
        for name, changes in (
            ("state_known", {"state": "half"}),
            ("ready_is_complete", {"key": ""}),
            ("ready_is_complete", {"size": 0}),
            ("ready_is_complete", {"size": None}),
            ("ready_is_complete", {"etag": ""}),
            ("ready_is_complete", {"ready_at": None}),
            ("ready_is_complete", {"name": ""}),
            ("unready_has_no_object", {"state": "requested", "problem": PROBLEM}),
            ("unready_has_no_object", {"state": "building", "problem": PROBLEM}),
            ("unready_has_no_object", {"state": "failed", "problem": PROBLEM}),
            ("verification_known", {"verified_by": "somebody"}),
            ("verification_known", {"verified_by": "store", "crc32": None}),
            ("verification_known", {"verified_by": "read-back", "sha256": ""}),
            ("verification_known", {"verified_by": "", "sha256": "0" * 64}),
            (
                "failed_has_a_reason",
                {"state": "failed", "problem": {}, "key": "", "size": None, "etag": "", "ready_at": None},
            ),
            ("progress_within_total", {"bytes_done": 2, "bytes_total": 1}),
            ("sha256_hex", {"sha256": "A" * 64}),
            ("live_is_not_cleared", {"storage_cleared": True}),
        )
    ),
    ("export_max_part_size_known", "export", {"max_part_size": 3 * 10**9}),
    ("exportpart_numbered_from_1", "export_part", {"number": 0}),
    ("webhook_stopped_for_a_reason", "webhook", {"stopped_at": NOON}),
    ("webhook_stopped_for_a_reason", "webhook", {"stop_reason": "off"}),
    ("webhook_stopped_for_a_reason", "webhook", {"stopped_at": NOON, "stop_reason": "mood"}),
    ("webhook_former_secret_ends", "webhook", {"former_secret": "x"}),
    ("webhook_former_secret_ends", "webhook", {"former_until": NOON}),
    ("webhook_delivery_state_known", "delivery", {"state": "lost"}),
    ("webhook_delivery_event_known", "delivery", {"event": "space.sold"}),
    ("webhook_delivery_failed_has_a_reason", "delivery", {"state": "failed"}),
    ("invitation_role_known", "invitation", {"role": "owner"}),
    ("invitation_state_known", "invitation", {"state": "lost"}),
    ("invitation_token_hash_hex", "invitation", {"token_sha256": "secret"}),
    ("invitation_ended_has_its_time", "invitation", {"state": "revoked"}),
    ("invitation_ended_has_its_time", "invitation", {"ended_at": NOON}),
    ("invitation_accepted_without_address", "invitation", {"state": "accepted", "ended_at": NOON}),
    (
        "invitation_accepted_without_address",
        "invitation",
        {"state": "accepted", "ended_at": NOON, "email": "", "name": "Ida"},
    ),
]


def find_refusing(attempt: Callable[[], object]) -> str | None:
    """Return the name of the constraint that refuses the write of `attempt`, or None. The write is always rolled
    back."""
    with transaction.atomic():
        try:
            attempt()
            connection.check_constraints()  # check deferred constraints now instead of at the commit
        except IntegrityError as error:
            cause = error.__cause__
        else:
            cause = None
        transaction.set_rollback(True)
    return cause.diag.constraint_name if isinstance(cause, psycopg.Error) else None


# All attempts share the rows, which take as long to create as fifty attempts.
def test_each_check_constraint_refuses_a_violation(rows: dict[str, models.Model]) -> None:
    wrong = []
    for name, kind, changes in ATTEMPTS:
        row = rows[kind]
        others = type(row)._default_manager.filter(pk=row.pk)
        if (by := find_refusing(partial(others.update, **changes))) != name:
            wrong.append((name, kind, changes, by))

    assert wrong == []


SECOND_ROWS = {
    "participant_seat_taken_once": "participant",
    "recording_numbered": "recording",
    "transcript_numbered": "transcript",
    "search_line_numbered": "line",
    "derived_once": "derived",
    "upload_one_recording_at_a_time": "upload",
    "arrival_once": "arrival",
    "arrival_one_live": "arrival",
    "livekit_participant_once": "connection",
    "transcription_one_live": "transcription",
    "idempotency_key_once": "idempotency",
    "idempotency_key_once_for_user": "mine",
    "upload_part_once": "part",
    "notice_once": "notice",
    "bundle_one_live_for_a_content": "bundle",
    "exportpart_one_live_for_a_number": "export_part",
    "exportpart_space_once": "place",
    "finding_once": "sighting",
    "invitation_one_waiting": "invitation",
    "hold_once_for_a_case": "hold",
    "reason_template_once": "template",
    "saved_log_view_name_once": "view",
    "feed_once": "feed",
    "heartbeat_once": "heartbeat",
    "digest_once_a_week": "digest",
    "webhook_delivery_once": "delivery",
}


def make_second(row: models.Model, name: str) -> models.Model:
    """Copy a row such that only the constraint `name` can refuse the copy."""
    row = copy(row)
    row.pk, row._state.adding = type(row)().pk, True  # a new id where our code sets ids, else the database's next
    if isinstance(row, Recording | Transcript | Derived):
        row.key = "another"
    if isinstance(row, Arrival):  # it has two such constraints: one for the sidecar, and one for unfinished arrivals
        changes = {"version": "2"} if name == "arrival_one_live" else {"state": "refused", "problem": PROBLEM}
        vars(row).update(changes)
    if isinstance(row, Invitation):
        row.token_sha256, row.email = "b" * 64, "INES@example.org"
    return row


def test_each_unique_constraint_refuses_a_second_row(rows: dict[str, models.Model]) -> None:
    by = {name: find_refusing(make_second(rows[kind], name).save) for name, kind in SECOND_ROWS.items()}

    assert by == {name: name for name in SECOND_ROWS}


def test_a_flag_has_at_most_one_appeal(rows: dict[str, models.Model], alice: User) -> None:
    violation = Violation.objects.get(pk=rows["violation"].pk)

    with pytest.raises(IntegrityError, match="violation_id"), transaction.atomic():
        Appeal.objects.create(violation=violation, statement="Again.", created_by=alice)


def test_a_recording_is_ingested_once(alice: User) -> None:
    make_row(alice, fingerprint="f" * 64)

    with pytest.raises(IntegrityError, match='"space_ingested_once"'), transaction.atomic():
        make_row(alice, fingerprint="f" * 64)


def test_a_rejected_recording_can_be_ingested_again(alice: User) -> None:
    make_row(alice, fingerprint="f" * 64, state="rejected", problem=make_problem("work.gave_up"))

    make_row(alice, fingerprint="f" * 64)

    assert Space.objects.filter(fingerprint="f" * 64).count() == 2


def test_a_bundle_can_be_built_again_after_one_that_failed(rows: dict[str, models.Model]) -> None:
    space = Space.objects.get(pk=rows["space"].pk)
    Bundle.objects.create(space=space, content_digest="d", state="failed", problem=make_problem("work.gave_up"))

    Bundle.objects.create(space=space, content_digest="d")

    assert Bundle.objects.filter(space=space, content_digest="d").count() == 2


UNIQUE = {
    "heartbeat_once",
    "invitation_one_waiting",
    "space_ingested_once",
    "participant_seat_taken_once",
    "recording_numbered",
    "transcript_numbered",
    "search_line_numbered",
    "derived_once",
    "upload_one_recording_at_a_time",
    "arrival_once",
    "arrival_one_live",
    "livekit_participant_once",
    "transcription_one_live",
    "idempotency_key_once",
    "role_membership_once",
    "user_name_once_in_any_case",  # tests/test_account_names.py
    "form_submission_once",
    "rule_version_once",
    "rule_one_current",
    "idempotency_key_once_for_user",
    "upload_part_once",
    "notice_once",
    "bundle_one_live_for_a_content",
    "exportpart_one_live_for_a_number",
    "exportpart_space_once",
    "finding_once",
    "content_access_once_an_hour",
    "hold_once_for_a_case",
    "reason_template_once",
    "feed_once",
    "digest_once_a_week",
    "webhook_delivery_once",
    "saved_log_view_name_once",
}


CERTIFICATES = {"certificate_key_id_hex": {"key_id": "a key"}, "certificate_has_document": {"document": ""}}


def test_each_certificate_constraint_refuses_a_violation(alice: User) -> None:
    fine: dict[str, Any] = {"space_id": make_row(alice).pk, "key_id": "a" * 64, "document": "{}", "issued_at": NOON}

    for name, changes in CERTIFICATES.items():
        assert find_refusing(partial(DeletionCertificate.objects.create, **fine | changes)) == name


TREE: dict[str, models.Model] = {
    "log_leaf_index_from_0": LogLeaf(index=-1, entry_id=1, hash=b"h" * 32),
    "log_node_level_from_1": LogNode(level=0, index=0, hash=b"h" * 32),
    "log_node_once": LogNode(level=1, index=7, hash=b"i" * 32),
    "log_checkpoint_size_from_0": LogCheckpoint(size=-1, note="n"),
    "log_cosignature_once": LogCosignature(witness="w", line="l"),
    "checkpoint_copy_once": CheckpointCopy(place="p", key="k"),
    "checkpoint_mail_once_a_day": CheckpointMail(recipient="r", day=NOON.date()),
    "checkpoint_mail_state_known": CheckpointMail(recipient="r", day=LATER.date(), state="lost"),
    "signing_key_event_once": SigningKeyEvent(kind="log", change="added", public=b"p" * 32),
    "signing_key_kind_known": SigningKeyEvent(kind="lost", change="added", public=b"p" * 32),
    "signing_key_change_known": SigningKeyEvent(kind="log", change="lost", public=b"p" * 32),
    "log_verification_one_pending": LogVerification(requested_by=2),
    "log_verification_state_known": LogVerification(requested_by=2, state="lost", code="c", finished_at=NOON),
    "log_verification_done_has_verdict": LogVerification(requested_by=2, state="done"),
    "database_restore_one_open": DatabaseRestore(place="a bucket", size=2),
    "database_restore_state_known": DatabaseRestore(
        place="a bucket", size=2, state="lost", confirmed_at=NOON, confirmed_by=1
    ),
    "database_restore_confirmed_has_actor_and_time": DatabaseRestore(place="a bucket", size=2, state="confirmed"),
}


def test_each_constraint_of_the_log_s_tree_refuses_a_violation() -> None:
    LogNode.objects.create(level=1, index=7, hash=b"h" * 32)
    LogVerification.objects.create(requested_by=1)
    DatabaseRestore.objects.create(place="the store", size=1)
    checkpoint = LogCheckpoint.objects.create(size=1, note="n")
    SigningKeyEvent.objects.create(kind="log", change="added", public=b"p" * 32)
    LogCosignature.objects.create(checkpoint=checkpoint, witness="w", line="l")
    CheckpointCopy.objects.create(checkpoint=checkpoint, place="p", key="k")
    CheckpointMail.objects.create(recipient="r", day=NOON.date(), checkpoint=checkpoint)

    by = {}
    for name, row in TREE.items():
        if hasattr(row, "checkpoint_id"):
            row.checkpoint = checkpoint  # type: ignore[attr-defined]
        by[name] = find_refusing(partial(row.save, force_insert=True))

    assert by == {name: name for name in TREE}


def test_every_constraint_is_tested() -> None:
    named = {c.name for model in apps.get_app_config("archive").get_models() for c in model._meta.constraints}

    assert named == UNIQUE | set(CERTIFICATES) | set(TREE) | {name for name, _, _ in ATTEMPTS}
