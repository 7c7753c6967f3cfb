"""Do in this process what workers do for recordings of LiveKit and inboxes."""

from django.db.models import Q

from archive import tasks
from archive.models import Arrival, Space
from tests.support.leases import end_pauses

ROUNDS = 20


def run_round() -> int:
    """Process everything that is pending, once, without retry pauses. Return how much it was."""
    end_pauses()
    done = 0
    for work in tasks.WORK:
        if work.model is Arrival or (work.model is Space and work.task is tasks.publish_space):
            for pk in work.pending_ids(Q()):
                work.task(str(pk))
                done += 1
    return done


def run_until_idle() -> None:
    for _ in range(ROUNDS):
        if not run_round():
            return
    raise AssertionError("there is always something to do")
