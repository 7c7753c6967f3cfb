"""What was found, in the words of `Request`, and how it is put together from doubtful values."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from archive.formatting import format_count as counted
from archive.intake.importers.tree import Tree, base
from archive.intake.importers.values import count, instant, short, text
from archive.intake.request import MOST_COHOSTS, MOST_SPEAKERS


@dataclass(frozen=True)
class Facts:
    """What files say of a Space. Whatever they don't say is empty. `ended_at` is UTC: it came with a zone or as a
    number since 1970, never from a file's date. `notes` are for the one who brought the files."""

    source: str = ""
    title: str = ""
    ended_at: datetime | None = None
    audience: str = ""
    cohosts: tuple[str, ...] = ()
    speakers: tuple[str, ...] = ()
    listeners_peak: int | None = None
    listeners_total: int | None = None
    language: str = ""
    notes: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """The same with the end in RFC 3339, for an answer in JSON."""
        ended_at = self.ended_at.isoformat() if self.ended_at else None
        return asdict(self) | {"ended_at": ended_at}

    def noting(self, *notes: str) -> "Facts":
        return replace(self, notes=(*self.notes, *notes))


@dataclass(frozen=True)
class ImportCandidate:
    """A recording, with the transcript beside it (names in `tree`) and what is known of its Space."""

    tree: Tree
    recording: str
    facts: Facts
    transcript: str | None = None

    @property
    def missing(self) -> tuple[str, ...]:
        """What has to be asked, as the options of `ingest` name it."""
        return () if self.facts.ended_at else ("--ended-at",)

    @property
    def name(self) -> str:
        """As it is shown."""
        return base(self.recording)

    @contextmanager
    def on_disk(self) -> Iterator[tuple[Path, Path | None]]:
        """Recording and transcript as files. Those of an archive are unpacked, and gone afterwards."""
        with self.tree.on_disk(self.recording) as recording:
            if self.transcript is None:
                yield recording, None
            else:
                with self.tree.on_disk(self.transcript) as transcript:
                    yield recording, transcript


@dataclass
class Reader:
    """Takes values of one file of facts, and notes what can't be believed."""

    name: str
    notes: list[str] = field(default_factory=list)

    def note(self, words: str) -> None:
        self.notes.append(f"{base(self.name)}: {words}")

    def end(self, value: object, key: str) -> datetime | None:
        if value is None or value == "" or count(value) == 0:
            self.note(f"it doesn't say when the Space ended ({key} is missing).")
            return None
        moment = instant(value)
        if moment is None:
            self.note(f"its {key} is {short(value)}, which is no moment: a time without a zone, or no time at all.")
        return moment

    def number(self, value: object, key: str) -> int | None:
        number = count(value)
        if number is None and value is not None:
            self.note(f"its {key} is {short(value)}, which is no number of people.")
        return number

    def cohosts(self, names: Iterable[str]) -> tuple[str, ...]:
        return self._seats(names, MOST_COHOSTS, "co-host")

    def speakers(self, names: Iterable[str]) -> tuple[str, ...]:
        return self._seats(names, MOST_SPEAKERS, "speaker")

    def _seats(self, names: Iterable[str], seats: int, role: str) -> tuple[str, ...]:
        clean = list(dict.fromkeys(name for name in (text(name, 100) for name in names) if name))
        if len(clean) > seats:
            more = counted(len(clean) - seats, f"{role}")
            self.note(f"{more} beyond the first {seats} were left out.")
        return tuple(clean[:seats])
