"""Kill processes (SIGKILL) at any commit, store call or publish: afterwards the work continues, and nothing is lost,
left over, stuck or logged twice. All rounds share one world of many Spaces; each round is one death.

KILLS: how many deaths (`make kills`). KILLS_SEED: repeats a run.
"""

import os
import random
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.test import Client

from archive.models import User
from archive.storage.bucket import prepare_bucket
from tests.faults import ForkServer, start_fork_server
from tests.faults.invariants import Invariants
from tests.faults.scenes import SCENES, Scene
from tests.faults.tables import rows, stuck
from tests.faults.world import World
from tests.support import speech_samples
from tests.support.factory import make_user
from tests.support.http_clients import make_client
from tests.support.leases import end_pauses, expire_leases
from tests.support.mail_server import FROM, Mailbox, give_address
from tests.support.object_stores import override_store
from tests.support.processes import Services, empty_queues

KILLS = int(os.environ.get("KILLS", "4"))
SEED = int(os.environ.get("KILLS_SEED", "0")) or random.SystemRandom().randrange(1, 10**6)
MINUTES = 4  # of the 15 within which everything must recover; the lease takes 10


@pytest.fixture
def zygote(services: Services, mailbox: Mailbox, tmp_path: Path) -> Iterator[ForkServer]:
    """Processes with the leases of production, a mail server, and a bucket of their own."""
    own = {
        "TRANSCRIPTION_MODEL": speech_samples.MODEL,
        "S3_BUCKET": "kills",
        "EMAIL_URL": mailbox.url,
        "MAIL_FROM": FROM,
    }
    with override_store(bucket_name="kills") as bucket, start_fork_server(services.env | own, tmp_path) as running:
        prepare_bucket(bucket, "http://127.0.0.1:8000")
        empty_queues()
        yield running
        empty_queues()


@pytest.fixture
def world(zygote: ForkServer, alice: User, tone: Path, tmp_path: Path) -> World:
    make_user("ada", "admins")
    make_user("sven", "admins")
    return World(zygote, random.Random(SEED), give_address(alice), tone, tmp_path)


class Places:
    """Labeled points that each scene's process has passed, those where it has died, and where it will die next."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.passed: dict[str, set[str]] = {}
        self.died: dict[str, set[str]] = {}
        self.count = dict.fromkeys(SCENES, 50)  # a guess of how many points there are

    def new(self, name: str) -> list[str]:
        """Return the labels that the scene's process has passed but never died at."""
        return sorted(self.passed.get(name, set()) - self.died.get(name, set()))

    def next(self, name: str) -> tuple[int, str]:
        """Choose the next death: at the first point with a label that was never tried, or at the point with a random
        number."""
        new = self.new(name)
        if new and self.chance.random() < 0.6:
            return 1, self.chance.choice(new)
        return self.chance.randint(1, self.count[name]), ""

    def note(self, name: str, points: tuple[str, ...], *, killed: bool) -> None:
        self.passed.setdefault(name, set()).update(points)
        if killed:
            self.died.setdefault(name, set()).add(points[-1])
            self.count[name] = max(self.count[name], 2 * len(points))  # the number of points after the death is unknown
        else:
            self.count[name] = len(points)

    def __str__(self) -> str:
        died, passed = ({p for problems in each.values() for p in problems} for each in (self.died, self.passed))
        scenes = sum(len(problems) for problems in self.died.values())
        left = f"; not yet: {', '.join(sorted(passed - died))}" if len(died) > 0.8 * len(passed) else ""
        return f"died at {len(died)} of {len(passed)} labeled points ({scenes} with what was going on){left}"


@pytest.mark.usefixtures("static_files")
def test_nothing_is_lost_when_processes_are_killed(
    world: World, mailbox: Mailbox, capsys: pytest.CaptureFixture[str]
) -> None:
    invariants, places, page, killed, rounds = (
        Invariants(world.known),
        Places(world.chance),
        make_client(world.alice),
        0,
        0,
    )
    while killed < KILLS:
        world.refill()
        name, scene = one_of_them(world, places)
        kill_at, label = places.next(name)
        run = world.fork_server.run(scene.job, *scene.arguments, kill_at=kill_at, label=label)
        places.note(name, run.points, killed=run.killed)
        rounds, killed = rounds + 1, killed + run.killed
        nothing_due_is_served(page)

        recover(world, scene, killed=run.killed)
        problems = invariants.remains()
        world.fork_server.run("compare")  # as an operator does every day
        problems += invariants.violations({str(message["Message-ID"]) for _, message in mailbox.received})

        place = run.points[-1] if run.killed else "nowhere"
        assert problems == [], f"{name}, killed {place} (round {rounds}, KILLS_SEED={SEED})"
        nothing_due_is_served(page)
        everything_else_is_served(page)
        if rounds % 50 == 0 or killed == KILLS:
            with capsys.disabled():
                sys.stdout.write(f"\nKILLS_SEED={SEED}: {killed} kills in {rounds} rounds, {places}; no violation\n")
                sys.stdout.flush()


def one_of_them(world: World, places: Places) -> tuple[str, Scene]:
    """Choose a scene that can be played now, preferably one with new labels."""
    names = sorted(SCENES)
    while True:
        (name,) = world.chance.choices(names, [1 + len(places.new(name)) for name in names])
        if scene := SCENES[name](world):
            return name, scene


def recover(world: World, scene: Scene, *, killed: bool) -> None:
    """Let workers recover; callers that got no response retry."""
    expire_leases()
    if killed and scene.again:
        world.fork_server.run(scene.job, *scene.arguments)
    for _ in range(MINUTES):
        world.fork_server.run("work")
        end_pauses()
        if not stuck():
            break
    scene.then()


def nothing_due_is_served(page: Client) -> None:
    for (pk,) in rows("SELECT id FROM archive_space WHERE expires_at <= now() ORDER BY expires_at DESC LIMIT 3"):
        for address in ("", "recording", "transcript.vtt"):
            assert page.get(f"/spaces/{pk}/{address}").status_code == 410, address


def everything_else_is_served(page: Client) -> None:
    for (pk,) in rows("SELECT id FROM archive_space WHERE state = 'available' ORDER BY random() LIMIT 3"):
        assert page.get(f"/spaces/{pk}/recording").status_code == 302
