"""`restore_check --apply` is killed at any step: nothing is deleted, and the next run completes it.

`make test` kills it once in each state that a second run can find, `make test-long` at every step.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.db import connection
from pytest_django import Settings

from archive import restores
from archive.models import DeletionCertificate, LogCheckpoint, User
from archive.transparency import restore_check
from archive.transparency.verify import verify
from archive.transparency.verify_log import Checkpoint
from tests.faults import ForkServer, start_fork_server
from tests.support import backups
from tests.support.processes import Services
from tests.support.restored import decide, facts, leaves, make_spaces, number_by_force, write_entry

STEPS = [
    "before commit in transparency.recovery:_take_back",
    "after commit in transparency.recovery:_take_back",
    "before commit in transparency.recovery:_add",
    "after commit in transparency.recovery:_add",
    "before commit in transparency.recovery:_add_checkpoint",
    "after commit in transparency.recovery:_add_checkpoint",
    "before commit in transparency.reapply:_reapply",
    "after commit in transparency.reapply:_reapply",
]
SAMPLE = [
    "after commit in transparency.recovery:_take_back",
    "after commit in transparency.recovery:_add",
    "before commit in transparency.recovery:_add_checkpoint",
    "after commit in transparency.reapply:_reapply",
]


@pytest.fixture
def zygote(services: Services, tmp_path: Path) -> Iterator[ForkServer]:
    """Processes that run where migrations run, and may connect as the owner of the tables."""
    name = connection.settings_dict["NAME"]
    owner = urlsplit(os.environ["DATABASE_OWNER_URL"])._replace(path=f"/{name}").geturl()
    with start_fork_server({**services.env, "DATABASE_OWNER_URL": owner}, tmp_path) as running:
        yield running


@pytest.mark.usefixtures("committed", "empty_bucket")
@pytest.mark.parametrize("places", [SAMPLE, pytest.param(STEPS, marks=pytest.mark.long)], ids=["some", "each"])
def test_killed_while_it_recovers(
    zygote: ForkServer, alice: User, admin: User, second_admin: User, settings: Settings, places: list[str]
) -> None:
    settings.LOG_CHECKPOINT_SECONDS = 0
    spaces = make_spaces(alice, admin)
    backup = backups.back_up()
    decide(spaces, alice, admin, second_admin)
    now = {name: facts(space) for name, space in spaces.items()}
    certificate = DeletionCertificate.objects.get(pk=spaces["deleted"].pk).document
    signed, log_before = Checkpoint.parse(LogCheckpoint.objects.latest("id").note), leaves()

    for place in places:
        backups.restore(backup)
        write_entry()
        number_by_force()

        assert zygote.run("recover_restored", kill_at=1, label=place).killed, place

        connection.close()
        assert restores.find_pause(), place
        zygote.run("recover_restored")
        assert restore_check.check().is_restored, place
        assert leaves()[: signed.size] == log_before, place
        assert {name: facts(space) for name, space in spaces.items()} == now, place
        assert DeletionCertificate.objects.get(pk=spaces["deleted"].pk).document == certificate, place
    restore_check.confirm("A drill.", admin)
    assert verify(known=[signed])["count"] >= signed.size
    assert not restores.find_pause()
