"""Files to look at, wherever they lie: in a folder, beside a file, in memory. (In an archive: packed.py.)"""

import io
import os
import re
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import IO

from archive.errors import Unreadable
from archive.intake.importers.values import LARGEST, document, text

# By these endings recordings are found. What they really are is found by decoding.
SOUNDS = (".m4a", ".mp4", ".mp3", ".ogg", ".oga", ".opus", ".wav", ".flac", ".aac", ".ts")
HIDDEN = re.compile(r"(?:^|/)(?:\.|__MACOSX(?:/|$))")
MOST_FILES = 500_000


def base(name: str) -> str:
    """The last part of a name, fit to be shown."""
    return text(name.rpartition("/")[2], 120) or "a file without a name"


def folder(name: str) -> str:
    return name.rpartition("/")[0]


def stem(name: str) -> str:
    """The last part of a name without its ending."""
    return name.rpartition("/")[2].rpartition(".")[0] or name.rpartition("/")[2]


def ending(name: str) -> str:
    last = name.rpartition("/")[2]
    return f".{last.rpartition('.')[2].lower()}" if "." in last else ""


def is_hidden(name: str) -> bool:
    """What systems leave behind: .DS_Store, ._talk.m4a, __MACOSX/. And a name in an archive that climbs with .. ."""
    return HIDDEN.search(name) is not None


class Tree(ABC):
    """Files with names such as data/spaces_media/space-1.ts. A name is only ever compared and shown, never used as a
    path outside of the folder that was given."""

    def __init__(self, names: Sequence[str], *, label: str) -> None:
        """`label`: what the top folder, or the archive, is called."""
        if len(names) > MOST_FILES:
            raise Unreadable("import.too_many_files", limit=MOST_FILES)
        self.names, self.label = sorted(names), label
        self._folders: dict[str, list[str]] = {}
        for name in self.names:
            self._folders.setdefault(folder(name), []).append(name)

    # Whether the files are all there, or only the first bytes of the recording.
    is_whole = True

    @abstractmethod
    def size(self, name: str) -> int:
        """Bytes."""

    @abstractmethod
    def open(self, name: str) -> AbstractContextManager[IO[bytes]]:
        """To read; it can be moved in. Raises Unreadable, also for what goes wrong while it is read."""

    @abstractmethod
    def on_disk(self, name: str) -> AbstractContextManager[Path]:
        """The file as a path, for as long as the context lasts. Raises Unreadable."""

    def sounds(self) -> list[str]:
        """What may be a recording."""
        return [name for name in self.names if ending(name) in SOUNDS]

    def within(self, place: str) -> list[str]:
        """The files in this folder; not those in folders below."""
        return self._folders.get(place, [])

    def read(self, name: str, largest: int = LARGEST) -> bytes:
        """The whole of a small file. Raises Unreadable when it is not small."""
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
        """What a JSON file says. Raises Unreadable."""
        return document(self.read(name), base(name))

    def documents(self, place: str) -> Iterator[tuple[str, object]]:
        """(name, what it says) of the JSON files in this folder that are JSON. One is in memory at a time."""
        for name in self.within(place):
            if ending(name) == ".json":
                try:
                    said = self.document(name)
                except Unreadable:
                    continue
                yield name, said


class Folder(Tree):
    """A folder and all below it. Links are not followed: they may lead anywhere."""

    def __init__(self, root: Path) -> None:
        self.root = root
        found: list[str] = []
        for place, below, files in os.walk(root, followlinks=False):
            below[:] = [name for name in below if not is_hidden(name)]
            inside = Path(place).relative_to(root)
            found += [
                (inside / name).as_posix() for name in files if not is_hidden(name) and _is_file(Path(place, name))
            ]
            if len(found) > MOST_FILES:
                break
        super().__init__(found, label=root.resolve().name)

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
    """One recording, whatever its ending, and the files of the same name beside it: talk.m4a, talk.json,
    talk_cc.jsonl."""

    def __init__(self, path: Path) -> None:
        self.root, self.path = path.parent, path
        same = tuple(f"{stem(path.name)}{mark}" for mark in "._ ")
        try:
            there = [file.name for file in self.root.iterdir() if file.name.startswith(same) and _is_file(file)]
        except OSError:  # a folder may be open for passing, and closed for listing
            there = []
        others = {name for name in there if ending(name) not in SOUNDS}
        Tree.__init__(self, sorted(others | {path.name}), label=stem(path.name))

    def sounds(self) -> list[str]:
        return [self.path.name]


class Memory(Tree):
    """A few small files, and the first bytes of a recording."""

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
