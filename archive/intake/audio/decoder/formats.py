"""The accepted audio formats, and the codecs that browsers play."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Format:
    """An accepted container. `extension` and `content_type` are those of its audio files; naming.py knows the others.

    `exact`: its index has the length; otherwise the length is an estimate. `timed`: its packets have timestamps.
    `pauses`: recorders may leave gaps in them; in other formats a gap is damage.
    `plays`: the codecs (names of FFmpeg's decoders) that the major browsers play from it, with seeking.
    """

    extension: str
    content_type: str
    exact: bool
    timed: bool
    pauses: bool
    plays: frozenset[str]


MP3 = frozenset({"mp3float", "mp3"})
PCM = frozenset({"pcm_u8", "pcm_s16le", "pcm_s24le", "pcm_s32le", "pcm_f32le"})

# By FFmpeg's demuxer name. Excludes playlists, images and formats that refer to other files.
FORMATS = {
    "mov,mp4,m4a,3gp,3g2,mj2": Format(
        "m4a", "audio/mp4", exact=True, timed=True, pauses=True, plays=frozenset({"aac", "opus", "flac"})
    ),
    "mp3": Format("mp3", "audio/mpeg", exact=False, timed=False, pauses=False, plays=MP3),
    # After a seek, Chromium is up to a second early in FLAC in Ogg, and sometimes 0.15 s in Vorbis: it knows only the
    # times of pages. Opus is exact.
    "ogg": Format("ogg", "audio/ogg", exact=False, timed=True, pauses=True, plays=frozenset({"opus"})),
    "matroska,webm": Format(
        "webm", "audio/webm", exact=False, timed=True, pauses=True, plays=frozenset({"opus", "vorbis"})
    ),
    "wav": Format("wav", "audio/wav", exact=True, timed=False, pauses=False, plays=PCM),
    "flac": Format("flac", "audio/flac", exact=True, timed=True, pauses=False, plays=frozenset({"flac"})),
    # Some browsers play these two, but none knows their length or seeks in them.
    "aac": Format("aac", "audio/aac", exact=False, timed=False, pauses=False, plays=frozenset()),
    "mpegts": Format("ts", "video/mp2t", exact=False, timed=True, pauses=True, plays=frozenset()),
}
# The kinds of originals (naming.py): extension and content type.
KINDS = {(form.extension, form.content_type) for form in FORMATS.values()} | {
    ("mp4", "video/mp4"),
    ("mov", "video/quicktime"),
    ("3gp", "audio/3gpp"),
    ("3gp", "video/3gpp"),
    ("3g2", "audio/3gpp2"),
    ("3g2", "video/3gpp2"),
    ("webm", "video/webm"),
    ("mka", "audio/matroska"),
    ("mkv", "video/matroska"),
    ("ogv", "video/ogg"),
}
DEMUXERS = "mov,mp3,ogg,matroska,wav,flac,aac,mpegts"
NAMES = "m4a, mp3, ogg or opus, webm, wav, flac, raw AAC (.aac, .ts)"
