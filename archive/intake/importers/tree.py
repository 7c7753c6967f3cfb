"""A uniform view of files in a folder, beside a recording, or in memory. (In a ZIP archive: zip_tree.py.)"""

import io
import os
import re
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import IO

from django.utils.translation import gettext

from archive.errors import Unreadable
from archive.intake.importers.values import MAX_BYTES, document, text

# Recordings are found by these extensions. Decoding finds out what they really are.
SOUNDS = (".m4a", ".mp4", ".mp3", ".ogg", ".oga", ".opus", ".wav", ".flac", ".aac", ".ts")
HIDDEN = re.compile(r"(?:^|/)(?:\.|__MACOSX(?:/|$))")
MAX_FILES = 500_000


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


def is_hidden(name: str) -> bool:
    """Whether it is a hidden or system file (.DS_Store, ._talk.m4a, __MACOSX/), or a name in an archive with `..`."""
    return HIDDEN.search(name) is not None


class Tree(ABC):
    """Files with names such as data/spaces_media/space-1.ts.

    Names are compared and shown, and never used as a path outside of the given folder.
    """

    def __init__(self, names: Sequence[str], *, label: str) -> None:
        """`label` is the name of the top folder or the archive."""
        if len(names) > MAX_FILES:
            raise Unreadable("import.too_many_files", limit=MAX_FILES)
        self.names, self.label = sorted(names), label
        self._folders: dict[str, list[str]] = {}
        for name in self.names:
            self._folders.setdefault(folder(name), []).append(name)

    # False if the tree holds only the first bytes of the recording.
    is_whole = True

    @abstractmethod
    def size(self, name: str) -> int:
        """Return the size in bytes."""

    @abstractmethod
    def open(self, name: str) -> AbstractContextManager[IO[bytes]]:
        """Open a file for reading, with seek. Raises Unreadable, also while the file is read."""

    @abstractmethod
    def on_disk(self, name: str) -> AbstractContextManager[Path]:
        """Yield a path to the file, valid while the context is open. Raises Unreadable."""

    def sounds(self) -> list[str]:
        """Return the files with a recording's extension."""
        return [name for name in self.names if ending(name) in SOUNDS]

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

    def document(self, name: str) -> object:
        """Parse a JSON file. Raises Unreadable."""
        return document(self.read(name), base(name))

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
        for directory, below, files in os.walk(root, followlinks=False):
            below[:] = [name for name in below if not is_hidden(name)]
            inside = Path(directory).relative_to(root)
            names += [
                (inside / name).as_posix() for name in files if not is_hidden(name) and _is_file(Path(directory, name))
            ]
            if len(names) > MAX_FILES:
                break
        super().__init__(names, label=root.resolve().name)

    def size(self, name: str) -> int:
        return (self.root / name).stat().st_size

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


class SiblingFiles(Folder):
    """One recording with any extension, and the files of its name beside it: talk.m4a, talk.json, talk_cc.jsonl."""

    def __init__(self, path: Path) -> None:
        self.root, self.path = path.parent, path
        same = tuple(f"{stem(path.name)}{mark}" for mark in "._ ")
        try:
            siblings = [file.name for file in self.root.iterdir() if file.name.startswith(same) and _is_file(file)]
        except OSError:  # a folder may grant access to its files but no listing
            siblings = []
        others = {name for name in siblings if ending(name) not in SOUNDS}
        Tree.__init__(self, sorted(others | {path.name}), label=stem(path.name))

    def sounds(self) -> list[str]:
        return [self.path.name]


class Memory(Tree):
    """A few small files and the first bytes of a recording, in memory."""

    is_whole = False

    def __init__(self, files: Mapping[str, bytes], recording: str) -> None:
        self.files, self.recording = {recording: b"", **files}, recording
        super().__init__(list(self.files), label="")

    def sounds(self) -> list[str]:
        return [self.recording]

    def size(self, name: str) -> int:
        return len(self.files[name])

    def open(self, name: str) -> AbstractContextManager[IO[bytes]]:
        return io.BytesIO(self.files[name])

    def on_disk(self, name: str) -> AbstractContextManager[Path]:
        raise Unreadable("import.only_first_bytes", file=base(name))


def _is_file(path: Path) -> bool:
    return path.is_file() and not path.is_symlink()
