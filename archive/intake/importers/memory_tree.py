"""Files in memory: those that the upload page sends for inspection."""

import io
from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import IO

from archive.errors import Unreadable
from archive.intake.importers.tree import Tree, base


class Memory(Tree):
    """A few small files and the first bytes of a recording, in memory."""

    is_whole = False
    caches_documents = True

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
