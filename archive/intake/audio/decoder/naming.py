"""Name the kind of a file by its content: the extension and content type for downloads of the original.

One demuxer of FFmpeg reads several kinds that other programs distinguish: a film is not .m4a, and Matroska not .webm.
"""

from typing import BinaryIO

from archive.intake.audio.decoder.containers import read_matroska
from archive.intake.audio.decoder.decode import Source

QUICKTIME = "qt"  # Apple's brand of ISO/IEC 14496-12; files from before 2001 have none
WEBM = b"webm"


def name_kind(source: Source, file: BinaryIO) -> tuple[str, str]:
    """Return (extension, content type): a pair of formats.KINDS."""
    form, is_film = source.form, has_video(source)
    match form.extension:
        case "m4a":
            return _name_mp4(read_brand(source), is_film=is_film)
        case "webm" if read_matroska(file).doc_type != WEBM:
            return ("mkv", "video/matroska") if is_film else ("mka", "audio/matroska")  # RFC 9559 §27.3
        case "webm" if is_film:
            return "webm", "video/webm"
        case "ogg" if is_film:
            return "ogv", "video/ogg"
    return form.extension, form.content_type


def _name_mp4(brand: str, *, is_film: bool) -> tuple[str, str]:
    medium = "video" if is_film else "audio"
    if brand == QUICKTIME:
        return "mov", "video/quicktime"
    if brand.startswith("3g2"):
        return "3g2", f"{medium}/3gpp2"  # RFC 4393
    if brand.startswith("3g"):
        return "3gp", f"{medium}/3gpp"  # RFC 3839
    return ("mp4", "video/mp4") if is_film else ("m4a", "audio/mp4")


def read_brand(source: Source) -> str:
    """Return the major brand of an MP4 without blanks, QUICKTIME for a file without one."""
    brand = source.container.metadata.get("major_brand", "").strip()
    return brand or QUICKTIME


def has_video(source: Source) -> bool:
    """Return whether there is a picture that is not a cover."""
    videos = source.container.streams.video
    return any(not stream.disposition & stream.disposition.attached_pic for stream in videos)
