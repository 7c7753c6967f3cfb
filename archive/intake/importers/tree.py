"""A uniform view of files in a folder or beside a recording. (ZIP archive: zip_tree.py; memory: memory_tree.py.)"""

import os
import re
import unicodedata
from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import IO

from django.utils.translation import gettext

from archive.errors import Problem, Unreadable, make_problem
from archive.intake.importers.sniff import SNIFFED_BYTES, Kind, detect_kind
from archive.intake.importers.values import MAX_BYTES, document, text

# The content says what a file is. These names only matter if it does not, as in a damaged or encrypted file: the user
# considers it a recording, so the decoder rejects it instead of leaving it out.
SOUND_ENDINGS = {".3gp", ".aac", ".aif", ".aiff", ".amr", ".avi", ".caf", ".flac", ".m4a", ".m4b", ".m4v", ".mka"}
SOUND_ENDINGS |= {".mkv", ".mov", ".mp3", ".mp4", ".oga", ".ogg", ".opus", ".ts", ".w64", ".wav", ".webm", ".wma"}
HIDDEN = re.compile(r"(?:^|/)(?:\.|__MACOSX(?:/|$))")
MAX_FILES = 500_000
MAX_CUTS = 12  # suffixes in a file name after another name: .en-orig.transcript.vtt has three


def base(name: str) -> str:
    """Return the last part of a name, safe for display."""
    return text(name.rpartition("/")[2], 120) or gettext("a file without a name")


def folder(name: str) -> str:
    return name.rpartition("/")[0]


def stem(name: str) -> str:
    """Return the last part of a name without its extension."""
    return name.rpartition("/")[2].rpartition(".")[0] or name.rpartition("/")[2]


def ending(name: str) -> str:
    last = name.rpartition("/")[2]
    return f".{last.rpartition('.')[2].lower()}" if "." in last else ""


def comparable(name: str) -> str:
    """Return a name for comparisons: one Unicode normalization (macOS decomposes names), and no letter case."""
    return unicodedata.normalize("NFC", name).casefold()


def split_heads(name: str) -> dict[str, str]:
    """Return how the last part of a name may continue another file's name: {comparable head: the rest}.

    "Talk.ogg.vtt" gives {"talk": ".ogg.vtt", "talk.ogg": ".vtt", "talk.ogg.vtt": ""}.
    """
    last = unicodedata.normalize("NFC", name.rpartition("/")[2])
    cuts = [at for at, character in enumerate(last) if character in "._ " and at] + [len(last)]
    return {last[:at].casefold(): last[at:] for at in cuts[-MAX_CUTS:]}


def is_hidden(name: str) -> bool:
    """Return whether it is a hidden or system file (.DS_Store, ._talk.m4a, __MACOSX/), or an archive name with `..`."""
    return HIDDEN.search(name) is not None


def hidden_part(name: str) -> str:
    """Return the name up to its hidden part, with a "/" at the end if that is a folder."""
    match = HIDDEN.search(name)
    end = name.find("/", match.end() - 1) if match else -1
    return name if end == -1 else name[: end + 1]


# (name, why it is not read). The name of a folder ends in "/".
Ignored = tuple[str, Problem]


class Tree(ABC):
    """Files with names such as data/spaces_media/space-1.ts.

    Names are compared and shown, and never used as a path outside of the given folder. `ignored` files are never
    opened: hidden ones, links, devices.
    """

    def __init__(self, names: Sequence[str], *, label: str, ignored: Sequence[Ignored] = ()) -> None:
        """Group the names. `label`: the name of the top folder or the archive."""
        if len(names) > MAX_FILES:
            raise Unreadable("import.too_many_files", limit=MAX_FILES)
        self.names, self.label, self.ignored = sorted(names), label, ignored
        self.unrelated: set[str] = set()  # files that are never opened, since they belong to no recording
        self.pairs: dict[str, list[str]] | None = None  # filled by captions.py, as is the next one
        self.no_transcripts: dict[str, Problem] = {}
        self.faults: dict[str, Problem] = {}  # of files that can't be opened
        self._kinds: dict[str, Kind] = {}
        self._documents: dict[str, object] = {}  # the contents of JSON files, or the error of invalid ones
        self._folders: dict[str, list[str]] = {}
        for name in self.names:
            self._folders.setdefault(folder(name), []).append(name)

    # False if the tree has only the first bytes of the recording.
    is_whole = True

    @abstractmethod
    def size(self, name: str) -> int:
        """Return the size in bytes."""

    def is_handed_over(self, name: str) -> bool:
        """Return whether to account for the file. Others are only used if they help."""
        return True

    def has_all_of(self, name: str) -> bool:
        """Return whether the whole file can be read, and not only its first bytes."""
        return True

    @abstractmethod
    def open(self, name: str) -> AbstractContextManager[IO[bytes]]:
        """Open a file for reading, with seek. Raises Unreadable, also while the file is read."""

    @abstractmethod
    def on_disk(self, name: str) -> AbstractContextManager[Path]:
        """Yield a path to the file, valid while the context is open. Raises Unreadable."""

    def has_certain_name(self, name: str) -> bool:
        """Return whether the name is as its author wrote it. Old ZIP archives don't state its encoding."""
        return True

    def kind(self, name: str) -> Kind:
        """Return the kind of the file by its first bytes. If it can't be opened, `faults` has the reason."""
        if name not in self._kinds:
            try:
                size = self.size(name)
                head = self.head(name, SNIFFED_BYTES) if size else b""
                is_withheld = size > 0 and not head
                self._kinds[name] = Kind.UNKNOWN if is_withheld else detect_kind(head, is_whole=len(head) == size)
            except Unreadable as error:
                self.faults[name] = error.problem
                self._kinds[name] = Kind.UNREADABLE
        return self._kinds[name]

    def is_sound(self, name: str, decoded: Collection[Kind] = (Kind.SOUND,)) -> bool:
        """Return whether to decode the file: its kind is in `decoded`, or it is named like a recording."""
        if self.kind(name) in decoded:
            return True
        is_script = ending(name) == ".ts" and self.kind(name) == Kind.TEXT  # TypeScript
        return ending(name) in SOUND_ENDINGS and not is_script

    def sounds(self) -> list[str]:
        """Return the files that may be recordings."""
        return [name for name in self.names if name not in self.unrelated and self.is_sound(name)]

    def within(self, directory: str) -> list[str]:
        """Return the files directly in this folder."""
        return self._folders.get(directory, [])

    def read(self, name: str, largest: int = MAX_BYTES) -> bytes:
        """Read a whole file. Raises Unreadable if it is larger than `largest` bytes."""
        with self.open(name) as file:
            data = file.read(largest + 1)
        if len(data) > largest:
            raise Unreadable("import.file_too_large", file=base(name), limit=largest)
        return data

    def head(self, name: str, count: int) -> bytes:
        with self.open(name) as file:
            return file.read(count)

    def tail(self, name: str, count: int) -> bytes:
        with self.open(name) as file:
            file.seek(max(0, self.size(name) - count))
            return file.read(count)

    # Whether parsed JSON files stay in memory, so that each is parsed once. For trees of small files.
    caches_documents = False

    def document(self, name: str) -> object:
        """Parse a JSON file. Raises Unreadable."""
        if name in self._documents:
            content = self._documents[name]
        else:
            try:
                content = document(self.read(name), base(name))
            except Unreadable as error:
                content = error
            if self.caches_documents:
                self._documents[name] = content
        if isinstance(content, Unreadable):
            raise content
        return content

    def documents(self, directory: str) -> Iterator[tuple[str, object]]:
        """Yield (name, content) of the valid JSON files in this folder, with one in memory at a time."""
        for name in self.within(directory):
            if ending(name) == ".json":
                try:
                    content = self.document(name)
                except Unreadable:
                    continue
                yield name, content


class Folder(Tree):
    """A folder and everything below it. Symbolic links are not followed, since they may lead anywhere."""

    def __init__(self, root: Path) -> None:
        self.root = root
        names: list[str] = []
        ignored: list[Ignored] = []
        for directory, below, files in os.walk(root, followlinks=False, onerror=lambda e: self._note(ignored, e)):
            inside = Path(directory).relative_to(root)
            for name in (*below, *files):
                path = (inside / name).as_posix()
                if problem := _find_obstacle(Path(directory, name), is_folder=name in below):
                    ignored.append((f"{path}/" if name in below else path, problem))
                elif name not in below:
                    names.append(path)
            below[:] = [name for name in below if not is_hidden(name)]
            if len(names) > MAX_FILES:
                break
        super().__init__(names, label=root.resolve().name, ignored=ignored)

    def _note(self, ignored: list[Ignored], error: OSError) -> None:
        """Note a folder that can't be listed."""
        name = Path(error.filename).relative_to(self.root).as_posix()
        ignored.append((f"{name}/", make_problem("import.cannot_read", error=error.strerror)))

    def size(self, name: str) -> int:
        try:
            return (self.root / name).stat().st_size
        except OSError as error:  # removed in the meantime
            raise Unreadable("import.cannot_read", file=base(name), error=error.strerror) from error

    @contextmanager
    def open(self, name: str) -> Iterator[IO[bytes]]:
        try:
            with (self.root / name).open("rb") as file:
                yield file
        except OSError as error:
            raise Unreadable("import.cannot_read", file=base(name), error=error.strerror) from error

    @contextmanager
    def on_disk(self, name: str) -> Iterator[Path]:
        yield self.root / name


def _find_obstacle(path: Path, *, is_folder: bool) -> Problem:
    """Return why the file or folder is not read, or {}."""
    if is_hidden(path.name):
        return make_problem("import.hidden")
    if path.is_symlink():
        return make_problem("import.link")
    if not is_folder and not path.is_file():
        return make_problem("import.not_a_file")
    return {}


class GivenFiles(Folder):
    """Files of one folder that were named one by one, and the files beside them with the same names: talk.m4a,
    talk.json.

    A single one is a recording, whatever its content, because the user says so.
    """

    def __init__(self, paths: Sequence[Path]) -> None:
        self.root, self.given = paths[0].parent, {path.name for path in paths}
        stems = {comparable(stem(name)) for name in self.given}
        try:
            beside = [path for path in self.root.iterdir() if path.is_file() and not path.is_symlink()]
        except OSError:  # a folder may allow reading its files but not listing them
            beside = []
        siblings = {path.name for path in beside if not is_hidden(path.name) and stems & set(split_heads(path.name))}
        label = stem(min(self.given))
        Tree.__init__(self, sorted(self.given | siblings), label=label)

    def sounds(self) -> list[str]:
        if len(self.given) == 1:
            return list(self.given)
        # A file that was named by itself is decoded unless it is clearly something else.
        decoded = {Kind.SOUND, Kind.UNKNOWN, Kind.UNREADABLE, Kind.EMPTY}
        return [name for name in self.names if name in self.given and self.is_sound(name, decoded)]

    def is_handed_over(self, name: str) -> bool:
        return name in self.given or self.kind(name) == Kind.TEXT
