"""A bundle is built once for a content, and again when the content changed."""

from pathlib import Path

import pytest

from archive import lifecycle
from archive.bundles.build import build, current, request
from archive.log import SYSTEM
from archive.models import Bundle, LogEntry, Space, User
from archive.retention.violations import flag
from archive.storage import keys, store
from tests.factory import make_space
from tests.sounds import make_tone


@pytest.fixture(scope="session")
def tone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tone(tmp_path_factory.mktemp("sounds") / "talk.m4a", "m4a", seconds=1)


@pytest.fixture
def space(db: None, alice: User, tone: Path, tmp_path: Path) -> Space:
    words = tmp_path / "words.vtt"
    words.write_text("WEBVTT\n\n00:00.000 --> 00:01.000\n<v Nora>Beans & peas.\n")
    return make_space(alice, recording=tone, transcript=words, title="Seeds: a talk", cohosts=("Felix",))


def built(space: Space) -> Bundle:
    bundle = request(space.pk, SYSTEM)
    assert build(bundle.pk)
    bundle.refresh_from_db()
    return bundle


def downloaded(bundle: Bundle) -> bytes:
    assert bundle.size is not None
    return store().read(bundle.key, 0, bundle.size, bundle.etag)


def failed(bundle: Bundle) -> str:
    """Its reason; nothing of it may be left in the store."""
    bundle.refresh_from_db()
    assert bundle.state == "failed"
    assert not store().listing(keys.bundle(bundle.space_id, bundle.pk))
    assert LogEntry.objects.filter(event="bundle.failed", detail__bundle=str(bundle.pk)).count() == 1
    return bundle.problem


def test_asked_twice_it_is_one(space: Space) -> None:
    first = request(space.pk, SYSTEM)

    assert request(space.pk, SYSTEM) == first
    assert build(first.pk)
    assert request(space.pk, SYSTEM) == first
    assert not build(first.pk)
    assert Bundle.objects.count() == 1


def test_the_same_content_gives_the_same_bytes(space: Space) -> None:
    first = built(space)
    data = downloaded(first)
    lifecycle.move(first, "ready", "removed", actor=SYSTEM)

    second = built(space)

    assert second.pk != first.pk
    assert downloaded(second) == data


def test_a_flag_makes_it_another_bundle(space: Space, admin: User) -> None:
    first = built(space)
    flag(space.pk, "spam", "An advertisement.", admin)

    second = built(space)

    assert (second.pk != first.pk, second.content != first.content) == (True, True)
    assert current(Space.objects.get(pk=space.pk)) == second


def test_one_that_was_overtaken_fails_and_the_newer_is_built(space: Space, admin: User) -> None:
    older = request(space.pk, SYSTEM)
    flag(space.pk, "spam", "An advertisement.", admin)
    newer = request(space.pk, SYSTEM)

    assert not build(older.pk)
    assert failed(older) == "The Space changed meanwhile, and a newer bundle of it was asked for."
    assert build(newer.pk)
