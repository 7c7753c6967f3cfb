"""When the store has lost an object, the bundle lists the gap or fails. It is never silently incomplete."""

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import bagit
import pytest

from archive.bundles.build import build, current, request
from archive.log import SYSTEM
from archive.models import LogEntry, Space
from archive.storage import store
from tests.support.audio_files import make_tone
from tests.support.bundles import build_bundle, clear_failed_bundle, read_bundle
from tests.support.object_stores import UNREACHABLE, override_store


@pytest.fixture
def lost(seeds: Space) -> Space:
    store().delete(store().listing(f"spaces/{seeds.pk}/recording/").versions)
    return seeds


def test_a_missing_object_fails_the_bundle_by_default(lost: Space) -> None:
    bundle = request(lost.pk, SYSTEM)

    assert not build(bundle.pk)

    assert clear_failed_bundle(bundle) == "storage.answer"


def test_allowed_gaps_are_listed(lost: Space, settings: Any, tmp_path: Path) -> None:
    settings.BUNDLE_MISSING_OBJECTS = "list"

    bundle = build_bundle(lost)

    with zipfile.ZipFile(io.BytesIO(read_bundle(bundle))) as zip_file:
        zip_file.extractall(tmp_path / "bag")
    (folder,) = (tmp_path / "bag").iterdir()
    assert bagit.Bag(str(folder)).is_valid()
    assert (folder / "data/missing.txt").read_text() == (
        "The store did not have these files when this bundle was made:\n\nrecording.m4a\n"
    )
    assert json.loads((folder / "data/space.json").read_text())["missing"] == ["recording.m4a"]
    page = (folder / "data/index.html").read_text()
    assert "The store did not have recording.m4a when this copy was made" in page
    assert "<audio" not in page
    assert "Beans &amp; peas." in page
    assert current(lost) == bundle
    assert LogEntry.objects.get(event="object.missing").detail["key"].endswith("/recording/1.m4a")


def test_a_reappeared_object_is_in_the_next_bundle(lost: Space, settings: Any, tmp_path: Path) -> None:
    settings.BUNDLE_MISSING_OBJECTS = "list"
    gap = build_bundle(lost)
    recording = lost.recordings.get()
    sound = make_tone(tmp_path / "talk.m4a", "m4a", seconds=1).read_bytes()
    store().client.put_object(Bucket=store().bucket, Key=recording.key, Body=sound)
    recording.size, recording.etag = len(sound), store().head(recording.key).etag
    recording.save()

    whole = build_bundle(lost)

    assert whole.pk != gap.pk
    with zipfile.ZipFile(io.BytesIO(read_bundle(whole))) as zip_file:
        assert any(name.endswith("/data/recording.m4a") for name in zip_file.namelist())
        assert not any(name.endswith("missing.txt") for name in zip_file.namelist())
    assert LogEntry.objects.filter(event="object.found").count() == 1


def test_an_unavailable_store_is_not_a_missing_object(seeds: Space, settings: Any) -> None:
    settings.BUNDLE_MISSING_OBJECTS = "list"
    bundle = request(seeds.pk, SYSTEM)

    with override_store(**UNREACHABLE):
        assert not build(bundle.pk)

    bundle.refresh_from_db()
    assert (bundle.state, seeds.recordings.get().missing_at) == ("building", None)
