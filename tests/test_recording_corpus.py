"""Recordings damaged as programs and networks do it are measured on the same timeline that players show."""

from pathlib import Path

import pytest

from archive.errors import Unreadable
from tests.corpus.recordings import SHAPED, Case
from tests.corpus.signals import make_noise
from tests.corpus.single_recordings import SINGLES
from tests.support.decode_in_process import RATE, decode_recording
from tests.support.located import locate

# One file of each class; `make test-long` runs all.
SHORT = {
    "plain: opus.webm",
    "jitter: opus.webm",
    "late packets: opus.webm",
    "gap 6 s: opus.webm",
    "pauses left out: opus.ogg",
    "gap 1.25 s: aac.m4a",
    "two gaps: opus.ogg",
    "slow clock: aac.ts",
    "clock set by a century: opus.webm",
    "gap 40 s: fragments.m4a",
    "plain: live opus.webm",
    "plain: opus.mkv",
    "CBR.mp3",
    "44.1 then 22.05 kHz.mp3",
    "VBR without Xing.mp3",
    "two chains.ogg",
    "RF64.wav",
    "mu-law.wav",
    "joined.flac",
    "no index.m4a",
    "fragments from 1 h on.m4a",
    "starts 5 s late.m4a",
    "parts overlap.ts",
    "first track silent.mp4",
    "ID3 between.mp3",
}
CASES = [
    pytest.param(case, id=case.name, marks=() if case.name in SHORT else pytest.mark.long) for case in SHAPED + SINGLES
]


def test_the_corpus_is_complete() -> None:
    names = [case.name for case in SHAPED + SINGLES]

    assert len(names) == len(set(names)) >= 150
    assert set(names) >= SHORT
    assert len(SHORT) == 25


@pytest.mark.parametrize("case", CASES)
def test_a_recording(tmp_path: Path, case: Case) -> None:
    path = case.make(tmp_path / "recording")
    if case.refused:
        with pytest.raises(Unreadable) as error:
            decode_recording(path)
        assert error.value.code == case.refused
        return

    decoded = decode_recording(path)

    assert decoded.seconds == pytest.approx(case.seconds, abs=0.1)
    assert decoded.answer["access_copy"] == (f"audio.copy_{case.copy}" if case.copy else "")
    assert decoded.notes == case.notes
    sound = make_noise(4, RATE)
    for second, place in case.places:
        assert locate(sound, second, decoded.samples, place) == pytest.approx(place, abs=case.within)
    assert bool(decoded.copy.stat().st_size) == bool(case.copy)
    if case.copy:
        copy = decode_recording(decoded.copy)
        assert copy.answer["access_copy"] == ""
        assert copy.seconds == pytest.approx(decoded.seconds, abs=0.1)
        for second, place in case.places:
            assert locate(sound, second, copy.samples, place) == pytest.approx(place, abs=case.within)
