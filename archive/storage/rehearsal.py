"""Test with test objects everything that Spacekeep needs of a store (trials/), and save the result.

Only observed behavior counts, not what a store reports about itself. The result is a row (StoreReport). Processes adapt
to it (capabilities.py), operators read it (`manage.py setup_store`), and a daily rehearsal detects changes.
"""

from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import structlog

from archive import dbtime
from archive.errors import ObjectChanged, ObjectMissing, StorageError, StoreDenied, StoreRefused, make_problem
from archive.models import StoreReport
from archive.storage import capabilities, keys, trials
from archive.storage.capabilities import Capabilities
from archive.storage.purge_prefix import purge_listing
from archive.storage.remedies import RIGHTS, is_missing_permission, permissions_of, remedy_for
from archive.storage.s3 import Store
from archive.storage.trials import Finding, NotNeeded, Outcome, Trial

EVERY = timedelta(hours=24)

logger = structlog.get_logger()


@dataclass
class Report:
    """The result of a rehearsal. `place` names the store and the bucket."""

    place: str
    capabilities: Capabilities = field(default_factory=Capabilities)
    findings: list[Finding] = field(default_factory=list)

    @property
    def faults(self) -> list[Finding]:
        """Failed trials without a fallback: with any of these, the store can't be used."""
        return [finding for finding in self.findings if finding.outcome == Outcome.FAULT]


def run(store: Store) -> Report:
    """Rehearse, save the result, and return it. Raises StorageError, and saves nothing, when the store is down or
    refuses our key."""
    report = try_all(store)
    save(report)
    return report


def try_all(store: Store) -> Report:
    """Rehearse without saving. Raises StorageError."""
    report = Report(store.place)
    prefix = f"{keys.REHEARSAL}{uuid4()}/"
    try:
        for trial in trials.ALL:
            _try(trial, report, store, prefix)
    finally:
        with suppress(StorageError):  # keep the first error; leftovers are harmless
            left = _store(store, report)
            purge_listing(left, left.listing(prefix))
    return report


def run_if_due(store: Store) -> bool:
    """Rehearse again after a day: the store may have been upgraded, or its bucket configured. Returns whether it
    ran."""
    before = dbtime.now() - EVERY
    if StoreReport.objects.filter(place=store.place, tried_at__gt=before).exists():
        return False
    try:
        run(store)
    except StorageError as error:
        logger.error("store_unusable", place=store.place, problem=str(error), remedy=remedy_for(error))
        return False
    return True


def _store(store: Store, report: Report) -> Store:
    """Return the store with the results so far. No trial sends the CRC-32 of a whole before that was tested."""
    verifies = any(f.name == "verifies_whole" and f.outcome == Outcome.WORKS for f in report.findings)
    known = replace(report.capabilities, verifies_whole=verifies)
    return Store(store.alias, find_capabilities=lambda store: known)


def _try(trial: Trial, report: Report, store: Store, prefix: str) -> None:
    try:
        problem = trial.run(_store(store, report), f"{prefix}{trial.name}/")
    except NotNeeded:
        return
    except StoreDenied as error:
        if not is_missing_permission(error):
            raise
        permissions = permissions_of(error, trial.permissions)
        lacks = make_problem("trial.lacks_permission", answer=error.problem, permissions=permissions)
        report.findings.append(Finding(trial.name, Outcome.FAULT, lacks, RIGHTS))
        return
    except (StoreRefused, ObjectChanged, ObjectMissing) as error:
        problem = error.problem
    if not problem:
        report.findings.append(Finding(trial.name, Outcome.WORKS))
        return
    outcome = Outcome.FALLBACK if trial.fallback else Outcome.FAULT
    report.findings.append(Finding(trial.name, outcome, problem, trial.remedy))
    report.capabilities = replace(report.capabilities, **trial.changes)  # type: ignore[arg-type]


def save(report: Report) -> None:
    """Save the result for all processes. Log a change since the last time as an error."""
    before = StoreReport.objects.filter(place=report.place).first()
    found = report.capabilities.as_json()
    change: dict[str, Any] = {}
    if before and before.capabilities != found:
        changed = sorted(name for name in found if before.capabilities.get(name) != found[name])
        change = {"changed": changed, "changed_at": dbtime.now()}
        logger.error("store_changed", place=report.place, changed=changed)
    for fault in report.faults:
        cause = {"problem": fault.problem_text, "remedy": fault.remedy}
        logger.error("store_unusable", place=report.place, trial=fault.name, **cause)
    StoreReport.objects.update_or_create(
        place=report.place,
        defaults={
            "capabilities": found,
            "findings": [finding.for_row() for finding in report.findings],
            "tried_at": dbtime.now(),
            **change,
        },
    )
    capabilities.remember(report.place, report.capabilities)
