"""Transcripts that lie beside a recording. Only the pairing is here; archive/intake/transcripts.py reads them.

Downloaders of Spaces write captions as lines of JSON: twspace-crawler as "<name> CC.jsonl" (HitomaruKonpaku/
twspace-crawler, src/modules/SpaceWatcher.ts), others as <name>_cc.jsonl.
"""

from archive.intake.importers.tree import Tree, ending, folder, stem
from archive.intake.importers.values import dig

ENDINGS = (".vtt", ".srt", ".jsonl")
TAILS = ("", "_cc", " cc", ".cc", ".transcript", "_transcript", ".captions")


def beside(tree: Tree, sound: str) -> str | None:
    """The transcript of this recording: the same name in the same folder, WebVTT first, then SRT, then captions as
    JSONL, then a Podcasting 2.0 transcript."""
    name = stem(sound).lower()
    wanted = {f"{name}{tail}": rank for rank, tail in enumerate(TAILS)}
    there = [
        (ENDINGS.index(ending(file)), wanted[stem(file).lower()], file)
        for file in tree.within(folder(sound))
        if ending(file) in ENDINGS and stem(file).lower() in wanted
    ]
    if there:
        return min(there)[2]
    for file, said in tree.documents(folder(sound)):
        if stem(file).lower() in wanted and isinstance(dig(said, "segments"), list):
            return file
    return None
