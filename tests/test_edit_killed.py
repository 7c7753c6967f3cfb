"""If a process is killed while it saves corrections, either the old or the new version remains, and leftovers are soon
removed."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from archive.models import Space, User
from archive.storage import keys, store
from tests.faults import ForkServer, start_fork_server
from tests.support.editing import LINES, make_talk, read_lines
from tests.support.log_entries import events
from tests.support.processes import Services

CORRECTED = [("Nora", "Broad beans."), *LINES[1:]]
STEPS = [
    "after s3 CreateMultipartUpload in intake.persist:store_transcript",
    "after s3 CompleteMultipartUpload in intake.persist:store_transcript",
    "before commit in editing.versions:store_version",
    "after commit in editing.versions:store_version",
]


@pytest.fixture
def zygote(services: Services, tmp_path: Path) -> Iterator[ForkServer]:
    with start_fork_server(services.env, tmp_path) as running:
        yield running


def assert_old_or_new(space: Space) -> None:
    first, *edited = space.transcripts.all()
    assert read_lines(first) == LINES
    assert [read_lines(version) for version in edited] in ([], [CORRECTED])
    assert events(space) == ["transcript.edited"] * len(edited)
    lines = space.transcripts.get(number=1 + len(edited)).lines
    assert lines.count() == len(LINES)  # the index belongs to the newest version


def assert_nothing_is_left_over(spaces: list[Space]) -> None:
    for space in spaces:
        listing = store().listing(keys.prefix(space.pk))
        edited = space.transcripts.get(number=2)
        assert [version.key for version in listing.versions] == [edited.key]
        assert listing.uploads == ()
        assert store().read(edited.key, 0, edited.size, edited.etag).startswith(b"WEBVTT")


def kill_each(zygote: ForkServer, host: User, points: tuple[str, ...], places: list[int]) -> list[Space]:
    spaces = []
    for place in places:
        space = make_talk(host)
        assert zygote.run("correct_line", str(space.pk), kill_at=place).killed, points[place - 1]
        assert_old_or_new(space)
        zygote.run("correct_line", str(space.pk))  # the host retries
        assert_old_or_new(space)
        spaces.append(space)
    zygote.run("compare")  # reconcile, as if two days had passed
    return spaces


@pytest.mark.usefixtures("committed", "empty_bucket")
def test_killed_around_the_write_and_the_commit(zygote: ForkServer, alice: User) -> None:
    points = zygote.run("correct_line", str(make_talk(alice).pk)).points
    assert set(points) >= set(STEPS), points

    spaces = kill_each(zygote, alice, points, sorted(points.index(step) + 1 for step in STEPS))

    assert_nothing_is_left_over(spaces)


@pytest.mark.long
@pytest.mark.usefixtures("committed", "empty_bucket")
def test_killed_at_every_step(zygote: ForkServer, alice: User) -> None:
    points = zygote.run("correct_line", str(make_talk(alice).pk)).points

    spaces = kill_each(zygote, alice, points, list(range(1, len(points) + 1)))

    assert_nothing_is_left_over(spaces)
