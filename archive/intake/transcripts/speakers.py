"""Find the speakers' names in a transcript before its upload, to propose them as participants."""

from archive.cues import plain
from archive.errors import Unreadable
from archive.intake import transcripts
from archive.own_lines import normalize_name

MAX_NAMES = 50  # more than a Space has seats for; with more, the file has topics instead of names


def find_speaker_names(data: bytes) -> list[str]:
    """Return each name once, in the order of the first lines. `data` may be cut off at its end.

    Names that differ only in spaces, case or the composition of letters are one name. A transcript that can't be read
    has none: the import reports its faults.
    """
    try:
        cues = transcripts.parse(data, lenient=True).cues
    except Unreadable:
        return []
    names: dict[str, str] = {}
    for cue in cues:
        name = plain(cue.speaker)
        if name:
            names.setdefault(normalize_name(name), name)
    return list(names.values())[:MAX_NAMES]
