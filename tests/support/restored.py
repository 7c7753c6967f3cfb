"""Spaces about which much is decided after a backup, and the facts that a restored database must have again."""

from typing import Any

from django.db import transaction

from archive import leases, log
from archive.log import SYSTEM, events
from archive.log.leaf import leaf_data
from archive.models import Hold, LogEntry, LogLeaf, LogSequencer, Space, User, Violation
from archive.moderation import appeals, holds, violations
from archive.retention.purge import purge
from archive.transparency import sequence
from tests.support.deadlines import make_due
from tests.support.factory import make_contents, make_row

DECIDED = ("flagged", "held", "lifted", "released", "denied", "granted")


def make_spaces(alice: User, admin: User) -> dict[str, Space]:
    """Create the Spaces of the backup: some were flagged or put on hold before it."""
    made = {name: make_registered(alice, name) for name in (*DECIDED, "deleted", "untouched")}
    for name in ("lifted", "denied", "granted"):
        violations.flag(made[name].pk, "spam", "It sold watches.", admin)
    holds.place(made["released"].pk, "A court asks.", admin)
    for name in ("deleted", "held", "untouched"):
        make_contents(made[name])
    sequence.run()
    return made


def make_registered(host: User, title: str) -> Space:
    """Create a row with the first log entry of its history."""
    space = make_row(host, title=title)
    with transaction.atomic():
        log.record(
            events.SPACE_REGISTERED,
            space_id=space.pk,
            actor=SYSTEM,
            ended_at=log.rfc3339(space.ended_at),
            deadline=log.rfc3339(space.expires_at),
            policy={"retention_days": 30, "violation_extra_days": 90, "lift_grace_days": 7},
        )
    return space


def decide(spaces: dict[str, Space], host: User, admin: User, second: User) -> None:
    """Make the decisions after the backup."""
    violations.flag(spaces["flagged"].pk, "hate", "What it said.", admin)
    holds.place(spaces["held"].pk, "Another court.", admin, case_number="7 O 12/26")
    violations.lift(spaces["lifted"].pk, "In error.", second)
    holds.release(Hold.objects.get(space=spaces["released"]).pk, "The case is closed.", second)
    for name in ("denied", "granted"):
        flagged = Violation.objects.get(space=spaces[name])
        appeal = appeals.appeal(flagged.pk, "Nobody sold anything.", host)
        appeals.decide(appeal.pk, "So it is.", second, granted=name == "granted")
    make_due(spaces["deleted"])
    assert purge(spaces["deleted"].pk)
    sequence.run()


def facts(space: Space) -> dict[str, Any]:
    """Return the facts about a Space and the decisions about it, without their texts."""
    columns = ("state", "title", "salt", "expires_at", "deleted_at", "deadline_reasons", "is_flagged", "is_appealed")
    row: dict[str, Any] = Space.objects.values(*columns).get(pk=space.pk)
    flags = ("pk", "state", "rule", "flagged_by", "lifted_by", "lifted_at", "appeal__state", "appeal__decided_by")
    row["violations"] = list(Violation.objects.filter(space=space).order_by("pk").values(*flags))
    row["holds"] = list(
        Hold.objects.filter(space=space).order_by("pk").values("pk", "state", "placed_by", "released_by")
    )
    return row


def leaves() -> list[bytes]:
    entries = LogEntry.objects.in_bulk(list(LogLeaf.objects.values_list("entry_id", flat=True)))
    return [leaf_data(entries[pk]) for pk in LogLeaf.objects.order_by("index").values_list("entry_id", flat=True)]


def number_by_force() -> None:
    """Number entries as a sequencer does that can't reach the store."""
    LogSequencer.objects.get_or_create(pk=1)
    claim = leases.claim(LogSequencer, 1, ["sequencing"])
    assert claim is not None
    sequence.number_entries(claim)
    claim.renew(**leases.RESET)


def write_entry() -> None:
    with transaction.atomic():
        log.record(events.DIGEST_EMPTY, space_id=None, actor=SYSTEM)
