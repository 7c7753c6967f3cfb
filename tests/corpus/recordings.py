"""Recordings as programs and networks leave them: how each is made, and what is right.

Every case has the length in seconds of its timeline, why browsers need an access copy ("" for none), the codes of the
notes, and places: (second of the sound, second of the timeline) pairs. Each sound is the noise of signals.py.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.corpus.write import Shift, Track, shifted, unshifted, write

Places = tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Case:
    name: str
    make: Callable[[Path], Path]
    seconds: float = 4
    copy: str = ""
    notes: tuple[str, ...] = ()
    places: Places = ((0.5, 0.5), (3.2, 3.2))
    refused: str = ""
    track: int = 0
    within: float = 0.06  # seconds: padding of encoders, which players keep too


@dataclass(frozen=True)
class Shape:
    """A way in which timestamps run, for 4 seconds of sound."""

    seconds: float
    shift: Shift = unshifted
    places: Places = ((0.5, 0.5), (3.2, 3.2))
    is_plain: bool = False
    notes: tuple[str, ...] = ()
    drop: Callable[[float], bool] = lambda second: False


def _jitter(second: float) -> float:
    return 0.02 * math.sin(second * 40)


def _late(second: float) -> float:
    """Packets of 0.4 s that were held up, and then came all at once."""
    return (2.42 - second) * 0.95 if 2 <= second < 2.42 else 0


def _pauses(second: float) -> bool:
    return second < 3 and second % 1 >= 0.6


SHAPES = {
    "plain": Shape(4, is_plain=True),
    "jitter": Shape(4, _jitter, is_plain=True),
    "late packets": Shape(4, _late),
    "gap 0.3 s": Shape(4.3, shifted((2, 0.3)), ((0.5, 0.5), (1.5, 1.5), (2.5, 2.8), (3.2, 3.5))),
    "gap 1.25 s": Shape(
        5.25, shifted((2, 1.25)), ((0.5, 0.5), (1.5, 1.5), (2.5, 3.75), (3.2, 4.45)), notes=("audio.gaps",)
    ),
    "gap 6 s": Shape(10, shifted((2, 6)), ((0.5, 0.5), (1.5, 1.5), (2.5, 8.5), (3.2, 9.2)), notes=("audio.gaps",)),
    "gap 40 s": Shape(44, shifted((2, 40)), ((0.5, 0.5), (1.5, 1.5), (2.5, 42.5), (3.2, 43.2)), notes=("audio.gaps",)),
    "two gaps": Shape(
        9, shifted((1, 2), (3, 3)), ((0.4, 0.4), (1.5, 3.5), (2.4, 4.4), (3.2, 8.2)), notes=("audio.gaps",)
    ),
    "pauses left out": Shape(4, places=((0.2, 0.2), (1.2, 1.2), (2.2, 2.2), (3.4, 3.4)), drop=_pauses),
    "slow clock": Shape(4.2, lambda second: second * 0.05, ((0.5, 0.52), (3.2, 3.36))),
    "clock set by a century": Shape(4, shifted((2, 3.1e9)), notes=("audio.clock_jumps",)),
}


@dataclass(frozen=True)
class Form:
    """A container and a codec. `copy`: the reason for an access copy whatever the shape."""

    container: str
    track: Track
    copy: str = ""
    options: tuple[tuple[str, str], ...] = ()
    without: frozenset[str] = frozenset()


CENTURY = frozenset({"clock set by a century"})
FRAGMENTS = (("movflags", "empty_moov+frag_keyframe+default_base_moof"), ("frag_duration", "1000000"))
PAGES = (("page_duration", "1"),)  # one packet each, as live recorders write them: only pages have times in Ogg
FORMS = {
    "opus.webm": Form("webm", Track("libopus")),
    "vorbis.webm": Form("webm", Track("vorbis", channels=2)),
    "live opus.webm": Form("webm", Track("libopus"), "index", (("live", "1"),)),
    "opus.mkv": Form("matroska", Track("libopus"), "container"),
    "aac.mkv": Form("matroska", Track("aac"), "codec"),
    "flac.mkv": Form("matroska", Track("flac"), "codec"),
    "opus.ogg": Form("ogg", Track("libopus"), "", PAGES, CENTURY),
    "vorbis.ogg": Form("ogg", Track("vorbis", channels=2), "codec", PAGES, CENTURY),
    "flac.ogg": Form("ogg", Track("flac"), "codec", PAGES, CENTURY),
    "aac.m4a": Form("mp4", Track("aac"), without=CENTURY),
    "opus.mp4": Form("mp4", Track("libopus"), without=CENTURY),
    "flac.mp4": Form("mp4", Track("flac"), without=CENTURY),
    "mp3.mp4": Form("mp4", Track("libmp3lame", bit_rate=128_000), "codec", without=CENTURY),
    "alac.m4a": Form("ipod", Track("alac", bit_rate=None), "codec", without=CENTURY),
    "aac.mov": Form("mov", Track("aac"), "container", without=CENTURY),
    "fragments.m4a": Form("mp4", Track("aac"), "index", FRAGMENTS, without=CENTURY),
    "aac.ts": Form("mpegts", Track("aac"), "codec", without=CENTURY),
    "mp3.ts": Form("mpegts", Track("libmp3lame"), "codec", without=CENTURY),
    "amr.3gp": Form("3gp", Track("libopencore_amrnb", rate=8000, bit_rate=12_200), "codec", without=CENTURY),
}


def _shaped(form: Form, shape: Shape) -> Callable[[Path], Path]:
    def make(path: Path) -> Path:
        track = Track(**{**vars(form.track), "shift": shape.shift, "drop": shape.drop})
        return write(path, form.container, track, options=dict(form.options))

    return make


def _shaped_cases() -> Iterator[Case]:
    for form_name, form in FORMS.items():
        for shape_name, shape in SHAPES.items():
            if shape_name not in form.without:
                copy = form.copy or ("" if shape.is_plain else "gaps")
                yield Case(
                    f"{shape_name}: {form_name}", _shaped(form, shape), shape.seconds, copy, shape.notes, shape.places
                )


SHAPED = list(_shaped_cases())
