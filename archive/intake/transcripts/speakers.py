"""The speakers' names in a transcript that was not uploaded yet, so that they can be offered as participants."""

from archive.cues import plain
from archive.errors import Unreadable
from archive.intake import transcripts
from archive.own_lines import normalize_name

MAX_NAMES = 50  # more than a Space has seats for; beyond that, the transcript names no people but topics


def find_speaker_names(data: bytes) -> list[str]:
    """Return each name once, in the order of the first lines. `data` may be cut off at its end.

    Names that differ only in spaces, case or the composition of letters are one name. A transcript that can't be
    read has none: the import says what is wrong with it.
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
