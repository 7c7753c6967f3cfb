"""A long recording is copied within the store, never through the worker."""

import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import bagit
import pytest

from archive.models import User
from archive.storage import store
from tests.support.audio_files import make_silence
from tests.support.bundles import build_bundle, read_bundle
from tests.support.factory import make_space
from tests.support.zip_readers import reader_errors

MIB = 1024**2


@contextmanager
def counted() -> Iterator[dict[str, int]]:
    """Count the bytes that this process sends to and fetches from the store, and the copies that it requests."""
    counts, events = {"sent": 0, "fetched": 0, "copies": 0}, store().client.meta.events

    def add(name: str, number: Callable[[dict[str, Any]], int]) -> Callable[..., None]:
        def handler(params: dict[str, Any], **kwargs: Any) -> None:
            counts[name] += number(params)

        return handler

    def ranged(params: dict[str, Any]) -> int:
        start, end = params["Range"].removeprefix("bytes=").split("-")
        return int(end) - int(start) + 1

    handlers = {
        "UploadPart": add("sent", lambda params: len(params["Body"])),
        "GetObject": add("fetched", ranged),
        "UploadPartCopy": add("copies", lambda params: 1),
    }
    for operation, handler in handlers.items():
        events.register(f"provide-client-params.s3.{operation}", handler)
    try:
        yield counts
    finally:
        for operation, handler in handlers.items():
            events.unregister(f"provide-client-params.s3.{operation}", handler)


@pytest.mark.usefixtures("db")
def test_a_long_recording_never_passes_through_the_worker(alice: User, tmp_path: Path) -> None:
    path = make_silence(tmp_path / "long.wav", seconds=330, rate=48000)  # 30 MiB
    space = make_space(alice, recording=path)

    assert store().capabilities.copies_parts

    with counted() as counts:
        bundle = build_bundle(space)

    assert 5 * MIB <= counts["sent"] <= 5.1 * MIB
    assert counts["fetched"] <= 5 * MIB
    assert counts["copies"] == 1
    (tmp_path / "bundle.zip").write_bytes(read_bundle(bundle))
    assert reader_errors(tmp_path / "bundle.zip") == {}
    with zipfile.ZipFile(tmp_path / "bundle.zip") as zip_file:
        zip_file.extractall(tmp_path / "bag")
    (folder,) = (tmp_path / "bag").iterdir()
    assert bagit.Bag(str(folder)).is_valid()
    assert (folder / "data" / "recording.wav").read_bytes() == path.read_bytes()
