"""Sort files by their names, sizes and first bytes, which the upload page sends before it uploads anything.

The rules are those for folders and archives, so the page needs none of its own.
"""

import io
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

from archive.errors import Unreadable, make_problem
from archive.intake.importers.sniff import Kind
from archive.intake.importers.survey import LeftOut, Survey
from archive.intake.importers.tree import Ignored, Tree, base, hidden_part, is_hidden
from archive.intake.importers.xarchive import METADATA

# Faults that the page may report for a member of an archive that it can't read.
FAULTS = {
    "encrypted": make_problem("import.member_encrypted"),
    "packed": make_problem("import.member_compression"),
    "damaged": make_problem("import.member_damaged"),
}


@dataclass(frozen=True)
class Head:
    """A file: its path as shown to the user, its size in bytes, and its first bytes. `fault` is one of FAULTS."""

    name: str
    size: int
    data: bytes = b""
    fault: str = ""


@dataclass(frozen=True)
class SortedFile:
    """A useful file: a "recording", or a "transcript" or "metadata" of `recordings`.

    The latter may come without a recording, which is chosen later. `language` is the tag in a transcript's name, or "".
    """

    file: str
    kind: str
    recordings: tuple[str, ...] = ()
    language: str = ""

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


class Heads(Tree):
    """The first bytes of files."""

    caches_documents = True

    def __init__(self, heads: Sequence[Head]) -> None:
        self.heads = {head.name: head for head in heads if not is_hidden(head.name)}
        hidden = make_problem("import.hidden")
        ignored: list[Ignored] = [(hidden_part(head.name), hidden) for head in heads if is_hidden(head.name)]
        super().__init__(list(self.heads), label="", ignored=ignored)
        for head in self.heads.values():
            if head.fault in FAULTS:
                self.faults[head.name] = FAULTS[head.fault]

    def size(self, name: str) -> int:
        return self.heads[name].size

    def has_all_of(self, name: str) -> bool:
        return len(self.heads[name].data) >= self.heads[name].size

    def open(self, name: str) -> AbstractContextManager[IO[bytes]]:
        if name in self.faults:
            raise Unreadable.of(self.faults[name])
        return io.BytesIO(self.heads[name].data)

    def on_disk(self, name: str) -> AbstractContextManager[Path]:
        raise Unreadable("import.only_first_bytes", file=base(name))


def sort_survey(tree: Heads, survey: Survey) -> tuple[list[SortedFile], list[LeftOut]]:
    """Return the useful files, and the others with the reason."""
    files = [SortedFile(candidate.recording, "recording") for candidate in survey.candidates]
    for name in dict.fromkeys(companion.file for companion in survey.companions):
        own = [companion for companion in survey.companions if companion.file == name]
        files.append(SortedFile(name, own[0].kind, tuple(one.recording for one in own), own[0].language))
    loose = {line.file: kind for line in survey.left_out if (kind := _kind_without_recording(tree, line))}
    files += [SortedFile(name, kind) for name, kind in loose.items()]
    return files, [line for line in survey.left_out if line.file not in loose]


def _kind_without_recording(tree: Heads, line: LeftOut) -> str:
    """Return what a file may be for a recording that is not among these, or ""."""
    code, name = line.problem["code"], line.file
    if line.count > 1 or name not in tree.heads or tree.kind(name) != Kind.TEXT:
        return ""
    if code == "import.transcript_alone":
        return "transcript"
    is_cut = code == "import.not_json" and not tree.has_all_of(name)
    return "metadata" if code == "import.unknown_metadata" or is_cut or METADATA.search(name) else ""
