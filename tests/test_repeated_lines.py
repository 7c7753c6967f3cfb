"""Celery logs a traceback for each task that raises. Errors that are already in the log are not repeated."""

import logging
from collections.abc import Iterator
from typing import Any

import pytest
from celery import shared_task

from archive import leases
from archive.models import Space, User
from portal.log_lines import NewFailures
from tests.support.factory import make_row
from tests.support.leases import end_pauses

pytestmark = pytest.mark.usefixtures("db")


def crash(claim: Any) -> bool:
    raise KeyError("a title")


@shared_task
def attempt_it(space_id: str) -> None:
    leases.attempt(leases.claim(Space, space_id, ["processing"]), crash)


@pytest.fixture
def tracebacks(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[logging.LogRecord]]:
    """Return the tracebacks that Celery logged; the settings of the log contain the filter."""
    logger, written = logging.getLogger("celery.app.trace"), list[logging.LogRecord]()
    assert [type(one) for one in logger.filters] == [NewFailures]
    handler = logging.Handler()
    monkeypatch.setattr(handler, "emit", written.append)
    logger.addHandler(handler)
    yield written
    logger.removeHandler(handler)


def test_an_unexpected_error_of_a_row_has_one_traceback(alice: User, tracebacks: list[logging.LogRecord]) -> None:
    space = make_row(alice, state="processing")

    for _ in range(3):
        end_pauses()
        attempt_it.apply(args=(str(space.pk),))

    assert [record.levelname for record in tracebacks] == ["ERROR"]
    assert Space.objects.get().attempts == 3


def test_of_many_rows_a_few_have_one(alice: User, tracebacks: list[logging.LogRecord]) -> None:
    for _ in range(8):
        attempt_it.apply(args=(str(make_row(alice, state="processing").pk),))

    assert len(tracebacks) == 5
