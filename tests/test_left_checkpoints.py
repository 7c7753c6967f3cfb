"""A test finds no checkpoint of another one: a database that lacks it counts as an older one that was restored."""

import pytest

from archive import restores
from archive.errors import ObjectMissing
from archive.models import LogCheckpoint, SigningKeyEvent
from archive.storage import keys, store
from archive.transparency import sequence
from tests.support.database import as_superuser, empty_database, remove_rolled_back_checkpoint
from tests.support.restored import write_entry


def sign() -> None:
    write_entry()
    assert sequence.run()
    assert store().get(keys.log_object("checkpoint"))


@pytest.mark.parametrize("number", [1, 2])
@pytest.mark.usefixtures("db")
def test_a_checkpoint_of_a_test_that_is_rolled_back_does_not_stay(number: int) -> None:
    """Whichever of the two comes first leaves one for the other."""
    assert restores.find() is None
    sign()


@pytest.mark.parametrize("number", [1, 2])
@pytest.mark.django_db
def test_neither_does_that_of_a_test_with_the_mark(number: int) -> None:
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
