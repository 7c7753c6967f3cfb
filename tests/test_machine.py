"""Random actions in random order while time passes, compared with a small model of what must exist.

Spaces are uploaded, flagged, lifted, appealed, decided, held, released and bundled; the clock moves, and sweeps run.
After each step, Spaces before their deadline are complete and served, and others are not served. After each sweep, due
Spaces are deleted to the last byte, with one certificate and one final log entry. In the end the log is replayed on its
own. MACHINE_EXAMPLES: how many sequences of actions (`make machine` takes 200).
"""

import os
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle as Known
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from archive import dbtime
from archive.bundles import build
from archive.errors import Refused, TooLate
from archive.log import SYSTEM
from archive.models import Appeal, DeletionCertificate, Hold, LogEntry, Space
from archive.moderation import appeals, holds, violations
from archive.retention import purge
from archive.retention.replay import replay
from archive.storage import keys, store
from tests.faults.clock import move, take_over
from tests.support.factory import make_space, make_user
from tests.support.http_clients import make_client

EXAMPLES = int(os.environ.get("MACHINE_EXAMPLES", "3"))
DAY = timedelta(days=1)


@dataclass
class Model:
    """What people know of a Space. `flags`: for each violation, when it was lifted, or None."""

    space: Space
    ended_at: datetime
    flags: list[datetime | None] = field(default_factory=list)
    held: bool = False
    deleted: bool = False

    @property
    def deadline(self) -> datetime | None:
        """The retention rule, implemented a second time from its description."""
        if self.held:
            return None
        if None in self.flags:
            return self.ended_at + 120 * DAY
        lifted = [moment for moment in self.flags if moment is not None]
        if not lifted:
            return self.ended_at + 30 * DAY
        return min(max(self.ended_at + 30 * DAY, max(lifted) + 7 * DAY), self.ended_at + 120 * DAY)

    def is_due(self, now: datetime) -> bool:
        return self.deadline is not None and self.deadline <= now


class Machine(RuleBasedStateMachine):
    spaces = Known("spaces")
    tone: Path

    def __init__(self) -> None:
        super().__init__()
        self.undone = transaction.atomic()
        self.undone.__enter__()
        take_over()
        self.alice, self.ada, self.sven = make_user("alice"), make_user("ada", "admins"), make_user("sven", "admins")
        self.page: Client = make_client(self.alice)
        self.known: list[Model] = []

    def teardown(self) -> None:
        try:
            assert [finding for _, findings in replay() for finding in findings] == []
        finally:
            transaction.set_rollback(True)
            self.undone.__exit__(None, None, None)

    @rule(target=spaces, days=st.integers(0, 29), hours=st.integers(1, 20))
    def intake(self, days: int, hours: int) -> Model:
        ended_at = dbtime.now() - timedelta(days=days, hours=hours)
        space = make_space(self.alice, recording=self.tone, transcript=None, ended_at=ended_at)
        self.known.append(Model(space, space.ended_at))
        return self.known[-1]

    def change(self, model: Model, act: Any) -> Any:
        """Return the result of `act`, or None if it was refused as too late, which must happen exactly from the
        deadline on."""
        late = model.deleted or model.is_due(dbtime.now())
        try:
            done = act()
        except TooLate:
            assert late
            return None
        assert not late
        return done

    @rule(model=spaces)
    def flag(self, model: Model) -> None:
        if self.change(model, lambda: violations.flag(model.space.pk, "spam", "It sold watches.", self.ada)):
            model.flags.append(None)

    @rule(model=spaces)
    def lift(self, model: Model) -> None:
        if model.flags and None not in model.flags:
            with pytest.raises(Refused):
                violations.lift(model.space.pk, "In error.", self.sven)
        elif model.flags and (lifted := self.change(model, lambda: violations.lift(model.space.pk, "So.", self.sven))):
            model.flags = [moment or lifted[-1].lifted_at for moment in model.flags]

    @rule(model=spaces, granted=st.booleans())
    def appeal_and_decide(self, model: Model, granted: bool) -> None:
        number = next((n for n, moment in enumerate(model.flags) if moment is None), None)
        if number is None or (model.deadline or dbtime.now()) - dbtime.now() < 15 * DAY:
            return
        violation = model.space.violations.order_by("pk")[number]
        if Appeal.objects.filter(violation=violation).exists():
            return
        made = appeals.appeal(violation.pk, "Nobody sold anything.", self.alice)
        appeals.decide(made.pk, "So it is.", self.sven, granted=granted)
        violation.refresh_from_db()
        assert (violation.lifted_at is not None) == granted
        model.flags[number] = violation.lifted_at

    @rule(model=spaces)
    def hold(self, model: Model) -> None:
        if self.change(model, lambda: holds.place(model.space.pk, "A court asks.", self.ada)):
            model.held = True

    @rule(model=spaces)
    def release(self, model: Model) -> None:
        for standing in Hold.objects.filter(space=model.space, state="standing"):
            holds.release(standing.pk, "The case is closed.", self.sven)
        model.held = False

    @rule(model=spaces)
    def ask_for_a_bundle(self, model: Model) -> None:
        if bundle := self.change(model, lambda: build.request(model.space.pk, SYSTEM)):
            build.build(bundle.pk)

    @rule(hours=st.integers(1, 24 * 40))
    def time_passes(self, hours: int) -> None:
        """Workers are up, so a sweep runs at each deadline on the way."""
        until = dbtime.now() + timedelta(hours=hours)
        while steps := [m.deadline for m in self.known if not m.deleted and m.deadline and m.deadline < until]:
            move(max(min(steps) - dbtime.now(), timedelta(0)))
            self.sweep()
        move(max(until - dbtime.now(), timedelta(0)))

    @rule()
    def sweep(self) -> None:
        list(purge.sweep_all())
        for model in self.known:
            if model.is_due(dbtime.now()) and not model.deleted:
                self.is_buried(model)
                model.deleted = True

    def is_buried(self, model: Model) -> None:
        pk = model.space.pk
        assert Space.objects.get(pk=pk).state == "deleted"
        assert not store().listing(keys.prefix(pk))
        assert DeletionCertificate.objects.filter(pk=pk).count() == 1
        assert LogEntry.objects.filter(space_id=pk, event="space.deleted").count() == 1

    @invariant()
    def nothing_else_is_gone_and_nothing_due_is_served(self) -> None:
        for model in self.known:
            space, due = Space.objects.get(pk=model.space.pk), model.deleted or model.is_due(dbtime.now())
            assert (space.state == "deleted") == model.deleted
            assert model.deleted or space.expires_at == model.deadline
            if not model.deleted:
                recording = space.recordings.get()
                assert store().head(recording.key).size == recording.size
            assert self.page.get(f"/spaces/{space.pk}/recording").status_code == (410 if due else 302)


@pytest.mark.usefixtures("owner", "db")  # moving the clock changes the schema
def test_random_actions_keep_the_invariants(tone: Path) -> None:
    Machine.tone = tone
    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=25,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
