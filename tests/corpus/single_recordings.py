"""Recordings that are special otherwise: joined, cut, without an index, with several tracks, with odd headers."""

import struct
from collections.abc import Callable
from pathlib import Path

from tests.corpus.recordings import FRAGMENTS, Case
from tests.corpus.write import Track, shifted, write

Make = Callable[[Path], Path]
OPUS, AAC, FLAC = Track("libopus"), Track("aac"), Track("flac")
MP3 = Track("libmp3lame", bit_rate=128_000)
PCM = Track("pcm_s16le", bit_rate=None)


def one(container: str, track: Track, **options: str) -> Make:
    return lambda path: write(path, container, track, options=options)


def several(container: str, *tracks: Track) -> Make:
    return lambda path: write(path, container, *tracks)


def joined(*parts: Make, between: bytes = b"") -> Make:
    """The bytes of several files, one after the other."""

    def make(path: Path) -> Path:
        path.write_bytes(between.join(part(path).read_bytes() for part in parts))
        return path

    return make


def edited(part: Make, edit: Callable[[bytearray], bytes | bytearray]) -> Make:
    """A file with changed bytes."""

    def make(path: Path) -> Path:
        path.write_bytes(edit(bytearray(part(path).read_bytes())))
        return path

    return make


def packed(at: int, form: str, *values: int) -> Callable[[bytearray], bytearray]:
    def edit(data: bytearray) -> bytearray:
        struct.pack_into(form, data, at, *values)
        return data

    return edit


def shift_fragments(data: bytearray) -> bytearray:
    """Add an hour to the base time of each fragment (tfdt, version 1)."""
    at = data.find(b"tfdt")
    while at >= 0:
        (base,) = struct.unpack_from(">Q", data, at + 8)
        struct.pack_into(">Q", data, at + 8, base + 3600 * 48000)
        at = data.find(b"tfdt", at + 4)
    return data


def claim_empty_wav(size: int) -> Callable[[bytearray], bytearray]:
    def edit(data: bytearray) -> bytearray:
        struct.pack_into("<I", data, 4, size)
        struct.pack_into("<I", data, data.index(b"data") + 4, size)
        return data

    return edit


def as_rf64(data: bytearray) -> bytes:
    """RF64 with a ds64 chunk (EBU Tech 3306)."""
    at = data.index(b"data")
    size = len(data) - at - 8
    ds64 = b"ds64" + struct.pack("<IQQQI", 28, len(data) + 28, size, size // 2, 0)
    head = b"RF64\xff\xff\xff\xffWAVE" + ds64 + bytes(data[12:at])
    return head + b"data\xff\xff\xff\xff" + bytes(data[at + 8 :])


def without_total(data: bytearray) -> bytearray:
    """FLAC whose STREAMINFO knows no number of samples, as a pipe leaves it."""
    data[21] &= 0xF0
    data[22:26] = bytes(4)
    return data


def variable(path: Path) -> Path:
    """An MP3 whose bit rate changes halfway."""
    slow, fast = one("mp3", Track("libmp3lame", bit_rate=96_000), **BARE), one("mp3", MP3, **BARE)
    return joined(slow, fast)(path)


def cut(share: float) -> Callable[[bytearray], bytearray]:
    return lambda data: data[: int(len(data) * share)]


def damaged(data: bytearray) -> bytearray:
    """Three packets of noise instead of sound."""
    for number in range(3):
        at = len(data) // 2 + number * 4000
        data[at : at + 300] = bytes(range(256)) + bytes(44)
    return data


ID3 = b"ID3\x04\0\0\0\0\0\x0a" + bytes(10)
# ID3v1, then ID3v2 with a picture in which decoders see the headers of frames.
PICTURE = b"TAG" + bytes(125) + b"ID3\x04\0\0\0\0\x20\0" + (b"\xff\xfb\x94\xc4" + bytes(range(252))) * 16
BARE = {"write_xing": "0", "id3v2_version": "0"}
SECOND_HALF = ((0.5, 0.5), (3.2, 3.2), (0.5, 4.5), (3.2, 7.2))  # the same sound twice

SINGLES = [
    Case("CBR.mp3", one("mp3", MP3)),
    Case("CBR without Xing.mp3", one("mp3", MP3, **BARE)),
    Case("CBR 24 kHz.mp3", one("mp3", Track("libmp3lame", rate=24000))),
    Case("CBR 24 kHz, 32 kbit.mp3", one("mp3", Track("libmp3lame", rate=24000, bit_rate=32_000)), 4, "low_bit_rate"),
    Case("CBR 64 kbit.mp3", one("mp3", Track("libmp3lame")), 4, "low_bit_rate"),
    Case("CBR stereo.mp3", one("mp3", Track("libmp3lame", channels=2, bit_rate=128_000))),
    Case("two of a kind.mp3", joined(one("mp3", MP3, **BARE), one("mp3", MP3, **BARE)), 8, "", places=SECOND_HALF),
    Case(
        "44.1 then 22.05 kHz.mp3",
        joined(
            one("mp3", Track("libmp3lame", rate=44100, bit_rate=128_000), **BARE),
            one("mp3", Track("libmp3lame", rate=22050, bit_rate=128_000), **BARE),
        ),
        8.11,
        "changes",
        places=((0.5, 0.5), (3.2, 3.2), (0.5, 4.585), (3.2, 7.285)),
    ),  # each with its own padding
    Case(
        "mono then stereo.mp3",
        joined(one("mp3", MP3, **BARE), one("mp3", Track("libmp3lame", channels=2, bit_rate=128_000), **BARE)),
        8,
        "changes",
        places=SECOND_HALF,
    ),
    Case("VBR without Xing.mp3", variable, 8, "variable", places=SECOND_HALF),
    Case("ID3 in front.mp3", edited(one("mp3", MP3), lambda data: ID3 + data)),
    Case(
        "ID3 between.mp3",
        joined(one("mp3", MP3, **BARE), one("mp3", MP3, **BARE), between=ID3),
        8,
        "damaged",
        places=SECOND_HALF,
    ),
    Case(
        "tags and a picture between.mp3",
        joined(one("mp3", MP3, **BARE), one("mp3", MP3, **BARE), between=PICTURE),
        8,
        "damaged",
        ("audio.broken_packets",),
        SECOND_HALF,
    ),
    Case(
        "two chains.ogg", joined(one("ogg", OPUS), one("ogg", OPUS)), 8, "chained", ("audio.clock_jumps",), SECOND_HALF
    ),
    Case(
        "two chains vorbis.ogg",
        joined(one("ogg", Track("vorbis", channels=2)), one("ogg", Track("vorbis", channels=2))),
        8,
        "codec",
        ("audio.clock_jumps",),
        SECOND_HALF,
    ),
    Case("16 bit.wav", one("wav", PCM)),
    Case("8 bit.wav", one("wav", Track("pcm_u8", bit_rate=None))),
    Case("24 bit 96 kHz.wav", one("wav", Track("pcm_s24le", rate=96000, bit_rate=None))),
    Case("32 bit.wav", one("wav", Track("pcm_s32le", bit_rate=None))),
    Case("float.wav", one("wav", Track("pcm_f32le", bit_rate=None))),
    Case("stereo 44.1 kHz.wav", one("wav", Track("pcm_s16le", rate=44100, channels=2, bit_rate=None))),
    Case("5.1.wav", one("wav", Track("pcm_s16le", channels=6, bit_rate=None))),
    Case("size 0.wav", edited(one("wav", PCM), claim_empty_wav(0))),
    Case("size unknown.wav", edited(one("wav", PCM), claim_empty_wav(2**32 - 1))),
    Case("RF64.wav", edited(one("wav", PCM), as_rf64)),
    Case("A-law.wav", one("wav", Track("pcm_alaw", rate=8000, bit_rate=None)), copy="codec"),
    Case("mu-law.wav", one("wav", Track("pcm_mulaw", rate=8000, bit_rate=None)), copy="codec"),
    Case("double.wav", one("wav", Track("pcm_f64le", bit_rate=None)), copy="codec"),
    Case("half is missing.wav", edited(one("wav", PCM), cut(0.5)), refused="audio.too_short"),
    Case("16 bit.flac", one("flac", FLAC)),
    Case("no total.flac", edited(one("flac", FLAC), without_total), 4, "length"),
    Case("ID3 in front.flac", edited(one("flac", FLAC), lambda data: ID3 + data)),
    Case("stereo.flac", one("flac", Track("flac", channels=2, rate=44100))),
    Case("joined.flac", joined(one("flac", FLAC), one("flac", FLAC)), 8, "gaps", ("audio.clock_jumps",), SECOND_HALF),
    Case("raw.aac", one("adts", AAC), copy="codec"),
    Case(
        "raw, rate changes.aac",
        joined(one("adts", AAC), one("adts", Track("aac", rate=24000, channels=2))),
        8.1,
        "codec",
        places=((0.5, 0.5), (3.2, 3.2), (0.5, 4.575), (3.2, 7.275)),
    ),
    Case("no index.m4a", edited(one("mp4", AAC), cut(0.5)), refused="audio.no_index"),
    Case("index in front.m4a", one("mp4", AAC, movflags="faststart")),
    Case("fragments from 1 h on.m4a", edited(one("mp4", AAC, **dict(FRAGMENTS)), shift_fragments), 4, "index"),
    Case(
        "starts 5 s late.m4a",
        one("mp4", Track("aac", shift=shifted((0, 5)))),
        9,
        "edited",
        ("audio.gaps",),
        ((0.5, 5.5), (3.2, 8.2)),
    ),
    Case("starts 5 s late.webm", one("webm", Track("libopus", shift=shifted((0, 5)))), 4, "gaps"),
    Case("starts 1 h late.webm", one("webm", Track("libopus", shift=shifted((0, 3600)))), 4, "gaps"),
    Case("starts 1 h late.ogg", one("ogg", Track("libopus", shift=shifted((0, 3600)))), 4, "gaps"),
    Case("starts 1 h late.ts", one("mpegts", Track("aac", shift=shifted((0, 3600)))), 4, "codec"),
    Case(
        "clock starts anew.ts",
        joined(one("mpegts", AAC), one("mpegts", AAC)),
        8,
        "codec",
        ("audio.clock_jumps",),
        SECOND_HALF,
    ),
    Case(
        "parts overlap.ts",
        joined(one("mpegts", AAC), one("mpegts", Track("aac", shift=shifted((0, 3.5))))),
        7.5,
        "codec",
        (),
        ((0.5, 0.5), (3.2, 3.2), (1.2, 4.7), (3.2, 6.7)),
    ),
    Case(
        "first track silent.mp4",
        several("mp4", Track("aac", volume=0), AAC),
        4,
        "tracks",
        ("audio.track_chosen",),
        track=1,
    ),
    Case("both tracks sound.mp4", several("mp4", AAC, Track("aac", volume=0.5)), 4, "tracks", ("audio.track_chosen",)),
    Case(
        "eight tracks, last sounds.mkv",
        several("matroska", *[Track("aac", volume=0)] * 7, AAC),
        4,
        "codec",
        ("audio.track_chosen",),
        track=7,
    ),
    Case(
        "all tracks silent.mkv",
        several("matroska", *[Track("flac", volume=0)] * 2),
        4,
        "codec",
        ("audio.track_chosen",),
        (),
    ),
    Case(
        "three packets broken.flac",
        edited(one("flac", FLAC), damaged),
        4,
        "damaged",
        ("audio.lost_parts",),
        ((0.5, 0.5), (3.8, 3.8)),
    ),
    Case("AC-3.mp4", one("mp4", Track("ac3")), copy="codec"),
    Case("E-AC-3.mp4", one("mp4", Track("eac3")), copy="codec"),
    Case("stereo opus.webm", one("webm", Track("libopus", channels=2))),
    Case("5.1 opus.ogg", one("ogg", Track("libopus", channels=6, bit_rate=256_000, options={"mapping_family": "1"}))),
    Case("8 kHz.m4a", one("mp4", Track("aac", rate=8000, bit_rate=24_000)), within=0.15),
]
