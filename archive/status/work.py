"""Read the rows of work by task: how many there are, how long the oldest has waited, and their problems."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import Case, DateTimeField, F, OuterRef, Q, Subquery, Value, When
from django.db.models.fields.json import KT
from django.db.models.functions import Coalesce, Now

from archive import leases
from archive.accounts import account_mail
from archive.accounts import send_invitation as invitation_mail
from archive.bundles import maintain
from archive.intake.arrivals import settle, take
from archive.intake.transcription import enqueue
from archive.intake.transcripts import import_upload
from archive.intake.uploads import clean_up
from archive.models import (
    AccountMail,
    Arrival,
    Bundle,
    CheckpointMail,
    Digest,
    ExportPart,
    Invitation,
    Leased,
    LogVerification,
    Notice,
    Space,
    Transcription,
    UploadSession,
    WebhookDelivery,
)

MAX_COUNTED = 10_000  # rows to read for one kind of work
PHASES = ("ready", "running", "paused", "parked")
_UPLOADED = UploadSession.objects.filter(
    space=OuterRef("pk"), kind=UploadSession.Kind.RECORDING, state__in=["uploaded", "accepted"]
)
# When the upload was completed. Spaces that `ingest` registered have no upload.
_RECEIVED = Coalesce(Subquery(_UPLOADED.values("last_activity_at")[:1]), "created_at")


@dataclass(frozen=True)
class Kind:
    """The rows of `model` that wait for `task`, as archive/tasks.py finds them.

    `since`: the start of their wait; None if no column has it. `order`: the column of the partial index that has the
    rows. `explains`: the row's problem is about the last attempt, and not about an earlier end of something.
    """

    task: str
    model: type[Leased]
    condition: Q
    since: Any = None
    order: str = "lease_until"
    explains: bool = True


def kinds() -> list[Kind]:
    """Return every kind of work. A task may have several, which are found by different indexes."""
    space, package = Space.State, Bundle.State
    ended = Q(state__in=["rejected", "aborted"]) & clean_up.UNCLEARED
    imported = clean_up.IMPORTED & ~Q(upload_id="")
    found = [
        Kind("purge_space", Space, Q(state__in=Space.KEPT, expires_at__lte=Now()), "expires_at", "expires_at", False),
        Kind("purge_space", Space, Q(state=space.EXPIRING), "expires_at", "expires_at"),
        Kind("publish_space", Space, Q(state=space.PROCESSING), _RECEIVED),
        Kind("import_transcript", UploadSession, Q(state="uploaded") & import_upload.PENDING, "last_activity_at"),
        Kind("abandon_upload", UploadSession, clean_up.IDLE, None, "last_activity_at", False),
        Kind("abandon_upload", UploadSession, ended, None, "last_activity_at", False),
        Kind("abandon_upload", UploadSession, imported, None, "last_activity_at", False),
        Kind("take_arrival", Arrival, Q(state__in=Arrival.AT_WORK) & take.READY, "created_at"),
        Kind("settle_arrival", Arrival, Q(state__in=Arrival.OVER) & settle.UNSETTLED, None, explains=False),
        Kind("send_notice", Notice, Q(state=Notice.State.PENDING), "created_at"),
        Kind("deliver_webhook", WebhookDelivery, Q(state=WebhookDelivery.State.PENDING), "created_at"),
        Kind("verify_log", LogVerification, Q(state=LogVerification.State.PENDING), "requested_at"),
        Kind("send_digest", Digest, Q(state=Digest.State.PENDING), "created_at"),
        Kind("send_checkpoint_mail", CheckpointMail, Q(state=CheckpointMail.State.PENDING), "created_at"),
        # No `since`: an invitation that is sent again keeps the time when it was created.
        Kind("send_invitation", Invitation, Q(state=Invitation.State.PENDING) & invitation_mail.UNEXPIRED),
        Kind("send_account_mail", AccountMail, Q(state=AccountMail.State.PENDING) & account_mail.YOUNG, "created_at"),
    ]
    models: tuple[tuple[str, type[Bundle] | type[ExportPart]], ...] = (("bundle", Bundle), ("export_part", ExportPart))
    for name, model in models:
        over = Q(state__in=model.OVER) & maintain.UNCLEARED
        found += [
            Kind(f"build_{name}", model, Q(state__in=model.AT_WORK), "requested_at"),
            Kind(f"verify_{name}", model, Q(state=package.READY) & maintain.UNVERIFIED, "ready_at"),
            Kind(f"clear_{name}_storage", model, over, None, explains=False),
        ]
    if enqueue.enabled():
        found.append(Kind("transcribe", Transcription, Q(state__in=Transcription.LIVE), "requested_at"))
    return found


@dataclass
class WorkStatus:
    """The rows of work that wait for one task, counted up to MAX_COUNTED.

    `ready` rows wait for a worker, `running` ones have one, `paused` ones wait for their next attempt, `parked` ones
    failed unexpectedly so often that they are tried once a day. `retried`: rows with more than one attempt.
    `oldest_at`: the start of the longest wait; None without rows. `problems`: the number of rows by the error code of
    their last attempt. `is_cut`: there may be more rows, in any phase.
    """

    task: str
    ready: int = 0
    running: int = 0
    paused: int = 0
    parked: int = 0
    retried: int = 0
    oldest_at: datetime | None = None
    problems: Mapping[str, int] = field(default_factory=Counter)
    is_cut: bool = False

    @property
    def total(self) -> int:
        return self.ready + self.running + self.paused + self.parked


def read_work() -> tuple[WorkStatus, ...]:
    """Return the status of each task, in the order of `kinds`, including idle ones."""
    found: dict[str, WorkStatus] = {}
    for kind in kinds():
        status = found.setdefault(kind.task, WorkStatus(kind.task))
        _add(status, kind)
    return tuple(found.values())


def _add(status: WorkStatus, kind: Kind) -> None:
    statement, params = counting_statement(kind)
    problems: dict[str, int] = defaultdict(int, status.problems)
    with connection.cursor() as cursor:
        cursor.execute(statement, params)
        found = cursor.fetchall()
        status.is_cut |= sum(count for _, _, count, _, _ in found) >= MAX_COUNTED
        for phase, code, count, retried, oldest in found:
            setattr(status, phase, getattr(status, phase) + count)
            status.retried += retried
            if oldest is not None:
                status.oldest_at = min(oldest, status.oldest_at or oldest)
            if code:
                problems[code] += count
    status.problems = dict(problems)


def counting_statement(kind: Kind) -> tuple[str, tuple[Any, ...]]:
    """Return the SQL that reads at most MAX_COUNTED rows in index order, and counts them by phase and problem."""
    phase = Case(
        When(lease_until__gt=Now(), then=Value("running")),
        When(unforeseen__gt=leases.MAX_UNFORESEEN, then=Value("parked")),
        When(retry_at__gt=Now(), then=Value("paused")),
        default=Value("ready"),
    )
    since = F(kind.since) if isinstance(kind.since, str) else kind.since
    rows = kind.model._default_manager.filter(kind.condition).annotate(
        work_phase=phase,
        work_problem=KT("problem__code") if kind.explains else Value(""),
        work_since=Value(None, DateTimeField()) if since is None else since,
    )
    ordered = rows.order_by(kind.order).values_list("work_phase", "work_problem", "attempts", "work_since")[
        :MAX_COUNTED
    ]
    inner, params = ordered.query.sql_with_params()
    return (
        "SELECT phase, code, count(*), count(*) FILTER (WHERE attempts > 1), min(since::timestamptz) "  # noqa: S608
        f"FROM ({inner}) AS counted (phase, code, attempts, since) GROUP BY 1, 2",
        params,
    )
