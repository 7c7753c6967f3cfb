"""Read the files that recording tools write, for `manage.py ingest` and the upload page.

Each tool has a module; its docstring names the source of the file format. A module never raises for content that it
does not understand: it adds a note, and the user is asked for the missing facts. The end of a Space is only taken from
a value that states it, with a time zone or as a number since 1970: never from a file's date, a local time, or a start
plus a length.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from django.utils.translation import gettext as _

from archive.errors import Problem, Unreadable, make_problem
from archive.intake.importers import captions, livekit, plain, tags, twspace, xarchive, zoom
from archive.intake.importers.facts import Facts, ImportCandidate, about
from archive.intake.importers.heads import Head, Heads, SortedFile, sort_survey
from archive.intake.importers.memory_tree import Memory
from archive.intake.importers.survey import Companion, LeftOut, Survey, account
from archive.intake.importers.tree import SOUND_ENDINGS, Folder, GivenFiles, Tree, ending
from archive.intake.importers.zip_tree import ZipTree, is_zip

__all__ = [
    "SOURCES",
    "Companion",
    "Facts",
    "Head",
    "ImportCandidate",
    "LeftOut",
    "SortedFile",
    "Survey",
    "find",
    "inspect",
    "is_several",
    "sort_heads",
    "survey",
    "survey_files",
]

# Modules that claim recordings, in this order: the first one that knows a recording gets it.
TOOLS = (livekit, twspace)
SOURCES = tuple(tool.SOURCE for tool in (xarchive, *TOOLS, zoom))

# Limits of the files that the upload page sends for inspection. Bytes of a text file (X's own answer about a large
# Space has a few hundred thousand), and of the part before the sound in a recording (the index of a day of AAC has some
# MB).
MAX_DESCRIPTION_BYTES = 1024**2
MAX_HEAD_BYTES = 4 * 1024**2


def find(path: Path) -> list[ImportCandidate]:
    """Find the recordings in a folder, in a ZIP archive, or at `path` itself, with the facts known of each.

    Raises Unreadable if there is none, or if the archive is damaged.
    """
    candidates = list(survey(path).candidates)
    if not candidates:
        raise Unreadable("import.no_recording", file=path.name)
    return candidates


def survey(path: Path, language: str = "") -> Survey:
    """Account for each file in a folder, in a ZIP archive, or at `path` itself. There may be no recording.

    Prefers the transcript in `language` if there are several. Raises Unreadable if an archive is damaged.
    """
    if path.is_dir():
        return _survey(Folder(path), language)
    return _survey(ZipTree(path), language) if is_zip(path) else survey_files([path], language)


def survey_files(paths: Sequence[Path], language: str = "") -> Survey:
    """Account for files of one folder that were named one by one. A single one is a recording, whatever its content."""
    return _survey(GivenFiles(paths), language)


def sort_heads(heads: Sequence[Head]) -> tuple[list[SortedFile], list[LeftOut]]:
    """Sort files by their names, sizes and first bytes into useful ones and those left out, with the reason."""
    tree = Heads(heads)
    return sort_survey(tree, _survey(tree))


def is_several(path: Path) -> bool:
    """Return whether `path` can have several recordings: it is a folder or a ZIP archive."""
    return path.is_dir() or is_zip(path)


def _survey(tree: Tree, language: str = "") -> Survey:
    tree.unrelated = xarchive.find_unrelated(tree)
    candidates = _find_in(tree, language)
    reasons: dict[str, Problem] = dict.fromkeys(tree.unrelated, make_problem("import.not_about_spaces"))
    reasons |= xarchive.explain(tree, candidates) | zoom.explain(tree, candidates)
    return account(tree, candidates, reasons)


def inspect(files: Mapping[str, bytes], recording: str = "") -> Facts:
    """Read the facts from small files beside a recording, and from its first bytes.

    `files` maps names to bytes. The one named `recording` (by default the first that is named like one) has its first
    256 KiB or, for an m4a whose index is at the end, an ftyp box and the index (moov). It may be missing. Its real name
    helps, since some tools write facts into it. Never raises for the files' content; `notes` lists files that were not
    understood. Stores nothing.
    """
    recording = recording or next((name for name in files if ending(name) in SOUND_ENDINGS), "recording")
    limits = {name: MAX_HEAD_BYTES if name == recording else MAX_DESCRIPTION_BYTES for name in files}
    small = {name: data for name, data in files.items() if len(data) <= limits[name]}
    notes = [about(name, _("it is too large to be inspected here.")) for name in files if name not in small]
    tree = Memory(small, recording)
    (candidate,) = _find_in(tree)
    if candidate.facts.source == plain.SOURCE:
        notes += _note_unknown_files(tree, candidate)
    return candidate.facts.noting(*(note for note in notes if note not in candidate.facts.notes))


def _note_unknown_files(tree: Tree, candidate: ImportCandidate) -> list[str]:
    """Return a note for each metadata file that no importer understood."""
    notes = []
    for name in tree.names:
        if ending(name) in (".json", ".js") and name not in (candidate.recording, candidate.transcript):
            try:
                tree.document(name)
                notes.append(about(name, _("its metadata is of an unknown kind.")))
            except Unreadable as error:
                notes.append(str(error))
    return notes


def _find_in(tree: Tree, language: str = "") -> list[ImportCandidate]:
    """Let each tool's module claim the recordings that it knows; the others are recordings without metadata."""
    left = tree.sounds()
    candidates = xarchive.find(tree, left)
    left = _without(xarchive.outside(tree, left) if tree.is_whole else left, candidates)
    for tool in TOOLS:
        candidates += tool.find(tree, left)
        left = _without(left, candidates)
    meetings = zoom.find(tree, left)
    left = zoom.outside(_without(left, meetings), meetings)
    candidates = [_add_title(candidate) for candidate in candidates + meetings] + plain.find(tree, left)
    return [_add_transcript(candidate, language) for candidate in candidates]


def _add_title(candidate: ImportCandidate) -> ImportCandidate:
    """Take the title from the recording's tags if the tool gave none."""
    title = candidate.facts.title or tags.read(candidate.tree, candidate.recording).title
    return replace(candidate, facts=replace(candidate.facts, title=title))


def _add_transcript(candidate: ImportCandidate, language: str) -> ImportCandidate:
    """Take the transcript that is named after the recording if the tool gave none, and the language in its name."""
    tree, recording = candidate.tree, candidate.recording
    ranked = captions.rank(tree, recording, language or candidate.facts.language)
    transcript = candidate.transcript
    if transcript is None:
        transcript = next((named.name for named in ranked if not captions.find_fault(tree, named.name)), None)
    tag = next((named.language for named in ranked if named.name == transcript), "")
    return replace(candidate, transcript=transcript, language=tag)


def _without(sounds: list[str], candidates: list[ImportCandidate]) -> list[str]:
    taken = {candidate.recording for candidate in candidates}
    return [name for name in sounds if name not in taken]
