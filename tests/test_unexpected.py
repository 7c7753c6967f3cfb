"""An unexpected exception ends the attempt, its name is stored on the row, and another attempt follows."""

from datetime import timedelta

import pytest

from archive.dbtime import now
from archive.errors import make_problem
from archive.leases import claim
from archive.models import Space, User
from archive.retention.due import due_spaces
from tests.support.factory import make_row


@pytest.mark.django_db
def test_the_row_gets_the_name_of_the_error_and_none_of_its_words(alice: User) -> None:
    space = make_row(alice, state="processing")
    mine = claim(Space, space.pk, ["processing"])
    assert mine is not None

    with pytest.raises(KeyError), mine.report_unexpected():
        raise KeyError("words of somebody")

    space.refresh_from_db()
    assert space.problem == make_problem("work.unexpected", error="KeyError")
    assert space.retry_at is not None


@pytest.mark.django_db
def test_progress_counts_from_when_it_was_given_back(alice: User) -> None:
    """A day-long upload with an error a second ago is not "without progress for a day"."""
    space = make_row(alice, state="receiving")
    Space.objects.update(created_at=now() - timedelta(hours=25))
    mine = claim(Space, space.pk, ["receiving"])
    assert mine is not None

    mine.release_for_retry(make_problem("work.gave_up"), at_once=True)

    assert list(due_spaces()) == []
