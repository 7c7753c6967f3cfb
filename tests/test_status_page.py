"""Operators see at a glance whether everything works, and what to do if not."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.db.models.functions import Now
from django.test.utils import CaptureQueriesContext

from archive import dbtime, leases
from archive.errors import MailDown, StoreDenied, make_problem
from archive.models import Arrival, DeletionRecheck, Heartbeat, Notice, RecorderToken, StoreReport, TaskRun, User
from archive.status.alerts import KINDS
from archive.status.labels import TASKS
from archive.status.work import kinds
from archive.storage import rehearsal, store
from portal.settings.work import CELERY_TASK_QUEUES
from tests.support.factory import make_row, make_user
from tests.support.http_clients import make_client
from tests.support.processes import ROOT

pytestmark = pytest.mark.usefixtures("db")


@pytest.fixture
def all_is_well(db: None) -> None:
    """Everything that running processes wrote a moment ago, and nothing of earlier tests."""
    Heartbeat.objects.all().delete()
    TaskRun.objects.all().delete()
    for queue in CELERY_TASK_QUEUES:
        Heartbeat.objects.create(process=f"{queue.name}@host", queue=queue.name, version="1")
    TaskRun.objects.create(task="dispatch")
    rehearsal.run(store())

    DeletionRecheck.objects.update_or_create(pk=1, defaults={"finished_at": dbtime.now()})


def alerts(user: User) -> list[str]:
    return re.findall(r'data-alert="(\w+)"', make_client(user).get("/status/").content.decode())


@pytest.mark.usefixtures("all_is_well")
def test_everything_is_well(admin: User) -> None:
    page = make_client(admin).get("/status/").content.decode()

    assert re.findall(r'data-alert="(\w+)"', page) == []
    assert "Everything is well. There is nothing to do." in page
    assert "RETENTION_DAYS" in page
    assert "PostgreSQL" in page


def test_operators_see_it_and_nobody_else(alice: User, admin: User, auditor: User) -> None:
    root = User.objects.create(username="root", is_superuser=True)
    staff = User.objects.create(username="staff", is_staff=True)

    clients = {user.username: make_client(user) for user in (alice, auditor, admin, root, staff)}

    seen = {name: client.get("/status/").status_code for name, client in clients.items()}

    assert seen == {alice.username: 404, auditor.username: 404, admin.username: 200, "root": 200, "staff": 200}
    linked = {name: "/status/" in client.get("/").content.decode() for name, client in clients.items()}
    assert linked == {name: status == 200 for name, status in seen.items()}


def test_work_that_is_retried_names_no_file(alice: User, admin: User) -> None:
    token = RecorderToken.objects.create(name="Van", prefix="skr_van", secret_sha256="0" * 64, expires_at=dbtime.now())
    arrival = Arrival.objects.create(recorder=token, source="inbox", source_id="x", version="1", state="pending")
    claim = leases.claim(Arrival, arrival.pk, ["pending"])
    assert claim is not None
    key = "inbox/skr_van/Nora Hill.m4a"
    reply = {"status": 403, "s3_code": "AccessDenied", "reply": f"AccessDenied: you may not read {key}"}
    claim.release_for_retry(StoreDenied("storage.answer", what=key, **reply).problem)

    page = make_client(admin).get("/status/").content.decode()

    assert "the object store answered 403 AccessDenied." in page
    assert "inbox/skr_van/sha256:" in page
    assert "Nora" not in page


@pytest.mark.usefixtures("all_is_well")
def test_what_is_wrong_is_named_with_what_to_do(alice: User, admin: User) -> None:
    make_row(alice, title="Secret garden", state="expiring", ended_ago=timedelta(days=31))
    Heartbeat.objects.filter(queue="deletion").update(seen_at=Now() - timedelta(hours=2))
    notice = Notice.objects.create(kind="flagged", user=alice, space=make_row(alice), subject_id="1")
    claim = leases.claim(Notice, notice.pk, ["pending"])
    assert claim is not None
    claim.release_for_retry(MailDown("mail.server_down", error="ConnectionRefusedError 111").problem)
    wrong = make_problem("trial.size_differs")
    StoreReport.objects.update(
        findings=[
            {"name": "deletes_many", "outcome": "fault", "problem": wrong, "remedy": "Ask it."},
            {"name": "writes", "outcome": "works", "problem": "as another release writes it"},
            {"name": "of another release", "outcome": "fault", "problem": wrong},
        ],
        changed=["deletes_many"],
        changed_at=dbtime.now(),
    )

    page = make_client(admin).get("/status/").content.decode()

    assert set(re.findall(r'data-alert="(\w+)"', page)) == {
        "deletions_overdue", "deleter_missing", "mail_server_down", "store_unusable", "store_changed",
    }  # fmt: skip
    assert "Something is wrong and needs your attention now." in page
    assert "Start the deleter: without it nothing is deleted" in page
    assert "The mail server can&#x27;t be used (ConnectionRefusedError 111)." in page
    assert str(notice.pk) in page
    assert "The object has another size." in page
    assert "of another release" not in page
    assert "Secret garden" not in page


def test_the_queries_do_not_grow(alice: User, admin: User) -> None:
    def count() -> int:
        client = make_client(admin)
        client.get("/status/")
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert client.get("/status/").status_code == 200
        return len(queries)

    few = count()
    for number in range(5):
        make_row(alice, state="expiring", ended_ago=timedelta(days=31 + number))
        Heartbeat.objects.create(process=f"celery@{number}", queue="celery")
        Notice.objects.create(kind="flagged", user=make_user(f"user{number}"), space=make_row(alice), subject_id="1")

    assert count() == few


def test_every_kind_of_work_has_a_name() -> None:
    assert {kind.task for kind in kinds()} <= set(TASKS)


def test_the_docs_have_every_alert_with_what_to_do() -> None:
    text = " ".join((ROOT / "docs" / "operations.md").read_text().split())

    assert [code for code, kind in KINDS.items() if f"| `{code}` | {kind.advice} |" not in text] == []
