"""Only transitions in the table are possible. Each writes its log entry, and only one of several concurrent ones
wins."""

import itertools
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db.models import Model, Q, TextChoices

from archive.errors import make_problem
from archive.lifecycle import TRANSITIONS, transition
from archive.log import SYSTEM, Actor, events
from archive.models import (
    Appeal,
    Arrival,
    Bundle,
    Digest,
    ExportPart,
    Hold,
    Invitation,
    LogEntry,
    Notice,
    Rule,
    Space,
    Transcription,
    UploadSession,
    User,
    Violation,
    WebhookDelivery,
)
from tests.support.factory import make_row

pytestmark = pytest.mark.usefixtures("db")

NOON = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)
FIRST = {  # the state of a new row, and the states in which a row may stay
    Space: (Space.State.RECEIVING, {Space.State.DELETED}),
    UploadSession: (UploadSession.State.OPEN, {UploadSession.State.ACCEPTED, UploadSession.State.ABORTED}),
    Arrival: (Arrival.State.WAITING, {Arrival.State.ACCEPTED}),
    Transcription: (Transcription.State.REQUESTED, {Transcription.State.DONE, Transcription.State.FAILED}),
    Bundle: (Bundle.State.REQUESTED, {Bundle.State.FAILED, Bundle.State.REMOVED}),
    ExportPart: (ExportPart.State.REQUESTED, {ExportPart.State.FAILED, ExportPart.State.REMOVED}),
    Notice: (Notice.State.PENDING, {Notice.State.SENT, Notice.State.WEB_ONLY, Notice.State.FAILED}),
    Digest: (Digest.State.PENDING, {Digest.State.EMPTY, Digest.State.FAILED}),  # a sent mail may still bounce
    WebhookDelivery: (WebhookDelivery.State.PENDING, {WebhookDelivery.State.DELIVERED, WebhookDelivery.State.FAILED}),
    Violation: (Violation.State.STANDING, {Violation.State.LIFTED}),
    Appeal: (Appeal.State.OPEN, {Appeal.State.DENIED, Appeal.State.GRANTED}),
    Hold: (Hold.State.STANDING, {Hold.State.RELEASED}),
    Invitation: (Invitation.State.PENDING, {Invitation.State.ACCEPTED, Invitation.State.REVOKED}),
}
# Transitions that users request of rows in these states.
REQUESTED = {
    (WebhookDelivery.State.DELIVERED, WebhookDelivery.State.PENDING),
    (WebhookDelivery.State.FAILED, WebhookDelivery.State.PENDING),
}
MODELS = pytest.mark.parametrize("model", FIRST, ids=lambda model: model.__name__)


def edges(model: type[Model]) -> set[tuple[TextChoices, TextChoices]]:
    return {(old, new) for row_model, old, new in TRANSITIONS if row_model is model}


def reachable(model: type[Model], start: TextChoices) -> set[TextChoices]:
    states, more = set[TextChoices](), {start}
    while more:
        states |= more
        more = {new for old, new in edges(model) if old in states} - states
    return states


def test_the_table_has_all_models_with_states_and_no_others() -> None:
    assert {model for model, _, _ in TRANSITIONS} == set(FIRST)


@MODELS
def test_it_is_made_of_members_of_the_models_own_states(model: Any) -> None:
    assert {type(state) for pair in edges(model) for state in pair} == {model.State}


@MODELS
def test_each_state_is_reachable_from_the_first(model: Any) -> None:
    first, _ = FIRST[model]

    assert model._meta.get_field("state").default == first
    assert reachable(model, first) == set(model.State)


@MODELS
def test_it_ends_in_the_final_states_and_no_others(model: Any) -> None:
    _, final = FIRST[model]

    by_itself = {(type(old), old, new) for old, new in edges(model)} - {(type(old), old, new) for old, new in REQUESTED}
    assert {state for state in model.State if not any(old == state for _, old, _ in by_itself)} == final
    assert all(reachable(model, state) & final for state in model.State)


def test_a_space_that_is_being_deleted_can_only_become_deleted() -> None:
    assert reachable(Space, Space.State.EXPIRING) == {Space.State.EXPIRING, Space.State.DELETED}


def test_every_kept_state_can_expire() -> None:
    expiring = {old for old, new in edges(Space) if new == Space.State.EXPIRING}

    assert expiring == set(Space.KEPT)
    assert {*Space.KEPT, Space.State.EXPIRING, Space.State.DELETED} == set(Space.State)


def test_each_transition_has_an_event_of_the_log() -> None:
    assert set(TRANSITIONS.values()) <= set(events.EVENTS)


def test_other_transitions_are_refused(alice: User) -> None:
    space = make_row(alice)
    others = set(itertools.product(Space.State, repeat=2)) - edges(Space)
    assert len(others) == 36 - 8

    for old, new in others:
        with pytest.raises(KeyError):
            transition(space, old, new, actor=SYSTEM)

    assert Space.objects.get(pk=space.pk).state == "available"


def test_a_transition_changes_the_row_and_the_log(alice: User) -> None:
    space = make_row(alice, state="receiving")

    moved = transition(
        space,
        Space.State.RECEIVING,
        Space.State.PROCESSING,
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


def test_the_entry_names_the_row(alice: User, admin: User) -> None:
    space = make_row(alice)
    speech = Transcription.objects.create(space=space)
    upload = UploadSession.objects.create(space=space, kind="recording", size=10, part_size=5, key="k", upload_id="u")
    bundle = Bundle.objects.create(space=space, content_digest="c")
    violation = Violation.objects.create(space=space, rule=Rule.objects.get(code="spam"), flagged_by=admin)

    assert transition(bundle, Bundle.State.REQUESTED, Bundle.State.BUILDING, actor=SYSTEM)
    assert transition(
        violation, Violation.State.STANDING, Violation.State.LIFTED, actor=SYSTEM, lifted_at=NOON, lifted_by=admin
    )
    assert transition(speech, Transcription.State.REQUESTED, Transcription.State.RUNNING, actor=SYSTEM)
    assert transition(upload, UploadSession.State.OPEN, UploadSession.State.ABORTED, actor=SYSTEM)

    assert list(LogEntry.objects.filter(space_id=space.pk).order_by("id").values_list("event", "detail")) == [
        ("bundle.started", {"bundle": str(bundle.pk)}),
        ("violation.lifted", {"violation": str(violation.pk)}),
        ("transcription.started", {"transcription": str(speech.pk)}),
        ("upload.aborted", {"upload": str(upload.pk)}),
    ]


def test_a_lost_race_changes_nothing_and_logs_nothing(alice: User) -> None:
    space, late = (row := make_row(alice)), Space.objects.get(pk=row.pk)
    assert transition(space, Space.State.AVAILABLE, Space.State.EXPIRING, actor=SYSTEM)

    assert not transition(
        late, Space.State.AVAILABLE, Space.State.EXPIRING, actor=SYSTEM, problem=make_problem("work.gave_up")
    )

    assert (late.state, late.problem) == ("available", {})
    assert Space.objects.get(pk=space.pk).problem == {}
    assert LogEntry.objects.filter(space_id=space.pk).count() == 1


@pytest.mark.parametrize(("fence", "moved"), [(3, True), (2, False)])
def test_a_condition_must_still_hold(alice: User, fence: int, moved: bool) -> None:
    space = make_row(alice, fence=3)

    assert (
        transition(space, Space.State.AVAILABLE, Space.State.EXPIRING, actor=SYSTEM, condition=Q(fence=fence)) is moved
    )

    assert Space.objects.get(pk=space.pk).state == ("expiring" if moved else "available")
    assert LogEntry.objects.filter(space_id=space.pk).count() == int(moved)


def test_without_its_entry_there_is_no_transition(alice: User) -> None:
    space = make_row(alice)
    not_json: dict[str, Any] = {"at": NOON}

    with pytest.raises(TypeError):
        transition(space, Space.State.AVAILABLE, Space.State.EXPIRING, actor=SYSTEM, detail=not_json)

    assert Space.objects.get(pk=space.pk).state == "available"
    assert not LogEntry.objects.filter(space_id=space.pk).exists()
