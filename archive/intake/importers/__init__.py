"""What tools for recording Spaces leave behind, read for `manage.py ingest` and for the upload page.

Each tool has a module that tells where the shape of its files is written down. None of them raises for what it does
not understand: it notes it, and what is then missing is asked. The end of a Space is only taken from a value that says
it, with a zone or as a number since 1970: never from a file's date, a local time, or a start plus a length.
"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from archive.errors import Unreadable
from archive.intake.importers import livekit, plain, tags, twspace, xarchive, zoom
from archive.intake.importers.facts import Facts, ImportCandidate
from archive.intake.importers.tree import SOUNDS, Folder, Memory, SiblingFiles, Tree, base, ending
from archive.intake.importers.zip_tree import ZipTree, is_zip

__all__ = ["Facts", "ImportCandidate", "find", "inspect", "is_several"]

LARGEST = 4 * 1024**2  # bytes of one file that a page brings to be looked at


def find(path: Path) -> list[ImportCandidate]:
    """The recordings in a folder or ZIP archive, or the one that `path` is, with what is known of each.

    Raises Unreadable: there is none in it, or the archive is damaged.
    """
    found = _in(_tree(path))
    if not found:
        raise Unreadable("import.no_recording", file=path.name)
    return sorted(found, key=lambda one: one.recording)


def is_several(path: Path) -> bool:
    """Whether there may be several recordings in it: a folder, or a ZIP archive."""
    return path.is_dir() or is_zip(path)


def _tree(path: Path) -> Tree:
    if path.is_dir():
        return Folder(path)
    return ZipTree(path) if is_zip(path) else SiblingFiles(path)


def inspect(files: Mapping[str, bytes], recording: str = "") -> Facts:
    """What small files beside a recording say of it, and the recording itself.

    `files` are bytes by name. The one named `recording` (by default the first that is named as a recording) has the
    first 256 KiB of it; of an m4a whose index is at its end, an ftyp box and the index (moov). It may be left out. Its
    real name helps: some tools write facts into it. Never raises for what is in the files; `notes` tell what was not
    understood. Nothing is kept.
    """
    small = {name: data for name, data in files.items() if len(data) <= LARGEST}
    notes = [f"{base(name)}: it is too large to be looked at here." for name in files if name not in small]
    tree = Memory(small, recording or next((name for name in files if ending(name) in SOUNDS), "recording"))
    (found,) = _in(tree)
    if found.facts.source == plain.SOURCE:
        notes += _not_understood(tree, found)
    return found.facts.noting(*(note for note in notes if note not in found.facts.notes))


def _not_understood(tree: Tree, found: ImportCandidate) -> list[str]:
    """Files of facts that nobody took facts from."""
    notes = []
    for name in tree.names:
        if ending(name) in (".json", ".js") and name not in (found.recording, found.transcript):
            try:
                tree.document(name)
                notes.append(f"{base(name)}: it is no metadata that is known here.")
            except Unreadable as error:
                notes.append(str(error))
    return notes


def _in(tree: Tree) -> list[ImportCandidate]:
    """Each tool's module takes what it knows; the rest are recordings without a description."""
    left = tree.sounds()
    found = xarchive.find(tree, left)
    left = _without(xarchive.outside(tree, left) if tree.is_whole else left, found)
    for tool in (livekit, twspace):
        found += tool.find(tree, left)
        left = _without(left, found)
    meetings = zoom.find(tree, left)
    left = zoom.outside(_without(left, meetings), meetings)
    return [_titled(one) for one in found + meetings] + plain.find(tree, left)


def _titled(found: ImportCandidate) -> ImportCandidate:
    """With the title that its tags give, when its tool gave none."""
    title = found.facts.title or tags.read(found.tree, found.recording).title
    return replace(found, facts=replace(found.facts, title=title))


def _without(sounds: list[str], found: list[ImportCandidate]) -> list[str]:
    taken = {one.recording for one in found}
    return [name for name in sounds if name not in taken]
