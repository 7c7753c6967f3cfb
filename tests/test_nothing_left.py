"""A test finds nothing of another one (tests/conftest.py). In each pair, whichever test runs first leaves something
that the other would find.

A checkpoint in the store that the database lacks would look like a restored database.
"""

import logging

import django
import pytest
from django.http import HttpResponse
from django.test import RequestFactory

from archive import restores, tasks
from archive.errors import ObjectMissing
from archive.models import LogCheckpoint, SigningKeyEvent
from archive.storage import keys, store
from archive.transparency import sequence
from portal import request_ids
from tests.faults.worker import published
from tests.support.database import as_superuser, empty_database, remove_rolled_back_checkpoint
from tests.support.restored import write_entry


def sign() -> None:
    write_entry()
    assert sequence.run()
    assert store().get(keys.log_object("checkpoint"))


@pytest.mark.parametrize("number", [1, 2])
@pytest.mark.usefixtures("db")
def test_a_checkpoint_of_a_test_that_is_rolled_back_does_not_stay(number: int) -> None:
    assert restores.find() is None
    sign()


@pytest.mark.parametrize("number", [1, 2])
@pytest.mark.django_db
def test_a_checkpoint_of_a_test_with_the_django_db_mark_does_not_stay(number: int) -> None:
    assert restores.find() is None
    sign()


@pytest.mark.usefixtures("committed")
def test_a_checkpoint_whose_row_is_gone_is_removed_with_the_rows() -> None:
    sign()
    as_superuser("DELETE FROM archive_logcheckpoint", "DELETE FROM archive_signingkeyevent")

    empty_database()

    with pytest.raises(ObjectMissing):
        store().get(keys.log_object("checkpoint"))
    assert SigningKeyEvent.objects.count() == 2
    assert not LogCheckpoint.objects.exists()


@pytest.mark.usefixtures("committed")
def test_the_first_checkpoint_of_an_emptied_database_counts_as_new() -> None:
    sign()
    remove_rolled_back_checkpoint()
    empty_database()
    sign()

    remove_rolled_back_checkpoint()

    with pytest.raises(ObjectMissing):
        store().get(keys.log_object("checkpoint"))


@pytest.mark.parametrize("number", [1, 2])
@pytest.mark.usefixtures("committed")
def test_no_message_stays(number: int) -> None:
    assert published() == []

    tasks.check_in.apply_async()


@pytest.mark.parametrize("number", [1, 2])
def test_no_request_stays(number: int) -> None:
    assert request_ids.current_id() == ""

    answer = request_ids.RequestIdMiddleware(lambda request: HttpResponse())(RequestFactory().get("/"))

    assert request_ids.current_id() == answer.headers["X-Request-ID"]  # until its response is closed


@pytest.mark.parametrize("number", [1, 2])
def test_no_handler_stays_that_writes_to_a_closed_file(number: int, capsys: pytest.CaptureFixture[str]) -> None:
    """Such a handler would write an error to standard error, which the next test captures."""
    handlers = [handler for handler in logging.root.handlers if isinstance(handler, logging.StreamHandler)]
    assert [handler for handler in handlers if handler.stream.closed] == []

    django.setup()  # as each command in this process does; it logs to the stream that `capsys` captures
