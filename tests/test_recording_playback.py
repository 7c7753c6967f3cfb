"""Browsers play served recordings on the measured timeline: the same length, and the right sound after each seek."""

import random
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser

from tests.corpus.recordings import SHAPED, Case
from tests.corpus.signals import Samples
from tests.corpus.single_recordings import SINGLES
from tests.support.browser_playback import RATE, play
from tests.support.decode_in_process import decode_recording

SEEKS = 10
WITHIN = 0.1  # seconds
AT_ONCE = 6
SHORT = ["plain: opus.webm", "CBR without Xing.mp3", "gap 6 s: opus.webm", "first track silent.mp4"]
ACCEPTED = [case for case in SHAPED + SINGLES if not case.refused and case.places]
REST = [case for case in ACCEPTED if case.name not in SHORT]
GROUPS = [REST[start : start + AT_ONCE] for start in range(0, len(REST), AT_ONCE)]


def test_a_seek_lands_where_the_timeline_says(chromium: Browser, tmp_path: Path) -> None:
    check(chromium, tmp_path, [case for case in ACCEPTED if case.name in SHORT])


@pytest.mark.long
@pytest.mark.parametrize("group", GROUPS, ids=[group[0].name for group in GROUPS])
def test_a_seek_in_every_recording(chromium: Browser, tmp_path: Path, group: list[Case]) -> None:
    check(chromium, tmp_path, group)


def check(chromium: Browser, folder: Path, cases: list[Case]) -> None:
    files, timelines = [], []
    for number, case in enumerate(cases):
        decoded = decode_recording(case.make(folder / str(number)))
        has_copy = bool(decoded.answer["access_copy"])
        served = decoded.copy if has_copy else folder / str(number)
        kind = "audio/mp4" if has_copy else decoded.answer["measured"]["content_type"]
        files.append((served, kind, choose_places(decoded.samples)))
        timelines.append(decoded)
    page = chromium.new_page()
    try:
        results = play(page, files)
    finally:
        page.close()

    for case, decoded, result in zip(cases, timelines, results, strict=True):
        assert result.error == "", case.name
        assert result.duration == pytest.approx(decoded.seconds, abs=WITHIN), case.name
        assert len(result.pieces) == SEEKS, case.name
        differences = result.differences(decoded.samples)
        assert max(map(abs, differences)) <= WITHIN, (case.name, differences)


def choose_places(samples: Samples) -> list[float]:
    """Choose ten moments, in seconds, each followed by at least half a second of sound."""
    loud = np.abs(samples.astype(int)) > 100
    steps = range(0, len(samples) - RATE // 2, RATE // 20)
    sounding = [
        step / RATE for step in steps if loud[step : step + RATE // 2].reshape(-1, RATE // 20).any(axis=1).all()
    ]
    return random.Random(len(samples)).sample(sounding, SEEKS)
