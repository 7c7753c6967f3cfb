"""The code that writes a row wakes a worker for it, so commands, pages and the API publish the same messages."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.db import transaction

from archive import leases, wakeups
from archive.bundles import build, exports, maintain
from archive.errors import Refused
from archive.intake.transcription import enqueue
from archive.log import SYSTEM
from archive.models import Bundle, Export, ExportPart, Hold, Notice, Space, Transcription, User
from archive.moderation import holds, violations
from archive.notices import create_reminders
from archive.tasks import WORK
from tests.faults.worker import published
from tests.support.factory import make_held, make_row, make_space, make_user
from tests.support.http_clients import make_client
from tests.support.mail_server import Mailbox, give_address
from tests.support.object_stores import without
from tests.support.processes import empty_queues
from tests.support.rows import update_space

Commit = Callable[[Callable[[], Any]], list[tuple[str, str]]]


@pytest.fixture
def commit(db: None, django_capture_on_commit_callbacks: Any) -> Iterator[Commit]:
    """Run `act` as if it were committed, and return the messages that it published."""
    empty_queues()

    def run(act: Callable[[], Any]) -> list[tuple[str, str]]:
        with django_capture_on_commit_callbacks(execute=True):
            act()
        return published()

    yield run
    empty_queues()


@pytest.fixture
def space(alice: User, mailbox: Mailbox) -> Space:
    return make_row(give_address(alice), ended_ago=timedelta(days=6))


def test_a_flag_by_command_and_by_page_publishes_its_notice(commit: Commit, space: Space, admin: User) -> None:
    other = make_row(space.host, ended_ago=timedelta(days=6))
    reason = {"rule": "spam", "reason": "It sold watches."}

    by_command = commit(
        lambda: call_command("flag", str(space.pk), rule="spam", reason="It sold watches.", by="ada", json=True)
    )
    by_page = commit(lambda: make_client(admin).post(f"/spaces/{other.pk}/flag", reason))

    assert by_command == [("send_notice", str(Notice.objects.get(space=space).pk))]
    assert by_page == [("send_notice", str(Notice.objects.get(space=other).pk))]


def test_a_rollback_publishes_nothing(commit: Commit, space: Space, admin: User) -> None:
    def flag_and_roll_back() -> None:
        with transaction.atomic():
            violations.flag(space.pk, "spam", "It sold watches.", admin)
            transaction.set_rollback(True)

    assert commit(flag_and_roll_back) == []


def test_a_notice_without_an_address_publishes_nothing(commit: Commit, alice: User, admin: User) -> None:
    assert commit(lambda: violations.flag(make_row(alice).pk, "spam", "It sold watches.", admin)) == []


def test_reminders_publish_themselves(commit: Commit, alice: User, mailbox: Mailbox) -> None:
    make_row(give_address(alice), ended_ago=timedelta(days=29, hours=12))

    messages = commit(create_reminders)

    assert messages == [("send_notice", str(Notice.objects.get().pk))]


@pytest.mark.parametrize(("ended_ago", "is_due"), [(40, True), (6, False)])
def test_releasing_a_hold_publishes_the_deletion_if_it_is_due(
    commit: Commit, alice: User, ended_ago: int, is_due: bool
) -> None:
    make_user("sven", role="admins")
    space = make_held(alice, ended_ago=timedelta(days=ended_ago))
    hold = Hold.objects.get(space=space)

    messages = commit(lambda: call_command("release", str(hold.pk), reason="Closed.", by="sven", json=True))

    assert messages == ([("purge_space", str(space.pk))] if is_due else [])


def test_a_bundle_is_built_read_back_and_cleared(commit: Commit, alice: User) -> None:
    space = make_space(alice)

    requested = commit(lambda: build.request(space.pk, SYSTEM))
    bundle = Bundle.objects.get()
    with without(verifies_whole=False, reports_part_crc32=False):
        built = commit(lambda: build.build(bundle.pk))
    verified = commit(lambda: maintain.verify(Bundle, bundle.pk))
    bundle.refresh_from_db()
    removed = commit(lambda: maintain.mark_missing(bundle))

    pk = str(bundle.pk)
    assert requested == [("build_bundle", pk)]
    assert built == [("verify_bundle", pk)]
    assert verified == []
    assert removed == [("clear_bundle_storage", pk)]


def test_an_export_publishes_its_parts_once(commit: Commit, alice: User) -> None:
    make_space(alice)

    first = commit(lambda: exports.request(alice, Export.Size.SMALL))
    again = commit(lambda: exports.request(alice, Export.Size.SMALL))

    assert first == [("build_export_part", str(ExportPart.objects.get().pk))]
    assert again == []


def test_an_automatic_transcript(commit: Commit, alice: User, settings: Any) -> None:
    settings.TRANSCRIPTION_MODEL = "/models/tiny"
    space = make_row(alice)

    assert commit(lambda: enqueue.ask(space.pk, SYSTEM)) == [("transcribe", str(Transcription.objects.get().pk))]


def test_work_stopped_by_its_time_limit_is_published_again(commit: Commit, alice: User) -> None:
    bundle = Bundle.objects.create(space=make_row(alice), content_digest="c")

    def run(*, at_once: bool) -> None:
        claim = leases.claim(Bundle, bundle.pk, Bundle.AT_WORK)
        assert claim is not None
        assert claim.release_for_retry({}, at_once=at_once)

    assert commit(lambda: run(at_once=True)) == [("build_bundle", str(bundle.pk))]
    assert commit(lambda: run(at_once=False)) == []


def test_a_claimed_row_is_not_published(commit: Commit, alice: User) -> None:
    bundle = Bundle.objects.create(space=make_row(alice), content_digest="c")
    assert leases.claim(Bundle, bundle.pk, Bundle.AT_WORK) is not None

    assert commit(lambda: wakeups.wake(Bundle, bundle.pk)) == []


def test_a_refused_request_publishes_nothing(commit: Commit, alice: User, admin: User) -> None:
    space = make_row(alice, state="processing")

    def request() -> None:
        with pytest.raises(Refused):
            build.request(space.pk, SYSTEM)
        with pytest.raises(Refused):
            holds.place(space.pk, "", admin)

    assert commit(request) == []


def test_every_kind_of_work_has_one_entry() -> None:
    tasks = [(work.model, work.task.name, id(work.pending_ids)) for work in WORK]

    assert len(set(tasks)) == len(tasks)
    assert {model.__name__ for model, *_ in tasks} == {
        *("Space", "UploadSession", "Arrival", "Bundle", "ExportPart", "Transcription", "Notice", "Invitation"),
        *("AccountMail", "Digest", "LogVerification", "CheckpointMail", "WebhookDelivery"),
    }


def test_processing_and_expiring_spaces_are_published(commit: Commit, alice: User) -> None:
    space = make_row(alice, state="processing")

    processing = commit(lambda: wakeups.wake(Space, space.pk))
    update_space(space, state="expiring")
    expiring = commit(lambda: wakeups.wake(Space, space.pk))

    assert processing == [("publish_space", str(space.pk))]
    assert expiring == [("purge_space", str(space.pk))]
