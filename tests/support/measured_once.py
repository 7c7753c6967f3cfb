"""Measure a recording once for all tests that only need a stored Space of it.

Starting a decoder takes half of the CPU time of an ingest. Tests of the ingest call `ingest`, which always decodes.
"""

import hashlib
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from pathlib import Path
from typing import Any
from unittest.mock import patch

from archive.intake.audio import measure
from archive.intake.audio.measure import AudioAnalysis

_decode = measure.measure
_known: dict[tuple[object, ...], tuple[AudioAnalysis, bytes]] = {}  # with the access copy
_turn = threading.Lock()  # without it, threads could undo their patches in the wrong order


@contextmanager
def measured_once() -> Iterator[None]:
    """Let `measure` return its earlier result for the same bytes and options during the context."""
    with _turn, patch.object(measure, "measure", _remember):
        yield


def _remember(
    path: Path, *, access_copy: Path, step: Callable[[float], None] = lambda seconds: None, **options: Any
) -> AudioAnalysis:
    key = (path.name, hashlib.sha256(path.read_bytes()).digest(), *sorted(options.items()))
    if key in _known:
        access_copy.write_bytes(_known[key][1])
    else:
        analysis = _decode(path, access_copy=access_copy, step=step, **options)
        _known[key] = analysis, access_copy.read_bytes()
    return deepcopy(_known[key][0])
