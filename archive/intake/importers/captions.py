"""Find the transcript beside a recording, by its name. archive/intake/transcripts parses it.

Tools that download Spaces write captions as JSON lines: twspace-crawler as "<name> CC.jsonl" (HitomaruKonpaku/
twspace-crawler, src/modules/SpaceWatcher.ts), others as <name>_cc.jsonl.
"""

from archive.errors import Unreadable
from archive.intake.importers.tree import Tree, ending, folder, stem
from archive.intake.importers.values import dig

ENDINGS = (".vtt", ".srt", ".jsonl")
TAILS = ("", "_cc", " cc", ".cc", ".transcript", "_transcript", ".captions")


def beside(tree: Tree, sound: str) -> str | None:
    """Return the transcript with this recording's name in its folder, or None.

    Prefers WebVTT, then SRT, then captions as JSONL, then a Podcasting 2.0 transcript.
    """
    name = stem(sound).lower()
    wanted = {f"{name}{tail}": rank for rank, tail in enumerate(TAILS)}
    matches = [
        (ENDINGS.index(ending(file)), wanted[stem(file).lower()], file)
        for file in tree.within(folder(sound))
        if ending(file) in ENDINGS and stem(file).lower() in wanted
    ]
    if matches:
        return min(matches)[2]
    named = (file for file in tree.within(folder(sound)) if ending(file) == ".json" and stem(file).lower() in wanted)
    return next((file for file in named if _has_segments(tree, file)), None)


def _has_segments(tree: Tree, file: str) -> bool:
    try:
        return isinstance(dig(tree.document(file), "segments"), list)
    except Unreadable:
        return False
