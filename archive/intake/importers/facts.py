"""The facts found in files, with the names of `Request`, and a reader that validates untrusted values."""

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from archive.errors import Problem, Unreadable
from archive.intake.importers.tree import Tree, base
from archive.intake.importers.values import count, instant, short, text
from archive.models.space import MAX_COHOSTS, MAX_SPEAKERS


@dataclass(frozen=True)
class Facts:
    """The facts of a Space in its files; unknown ones are empty.

    `ended_at` is UTC and comes from a time with a zone or a number since 1970, never from a file's date. `notes` are
    for the user who uploads the files.
    """

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
        """Return a dict for JSON, with the end in RFC 3339."""
        ended_at = self.ended_at.isoformat() if self.ended_at else None
        return asdict(self) | {"ended_at": ended_at}

    def noting(self, *notes: str) -> "Facts":
        return replace(self, notes=(*self.notes, *notes))


@dataclass(frozen=True)
class ImportCandidate:
    """A recording, the facts of its Space, its transcript, and the metadata files with the facts (names in `tree`).
    `language` is the tag in the transcript's name, or ""."""

    tree: Tree
    recording: str
    facts: Facts
    transcript: str | None = None
    metadata: tuple[str, ...] = ()
    language: str = ""

    @property
    def missing(self) -> tuple[str, ...]:
        """The options of `ingest` for the facts that are missing in the files."""
        return () if self.facts.ended_at else ("--ended-at",)

    @property
    def name(self) -> str:
        """The file name for display."""
        return base(self.recording)

    @contextmanager
    def on_disk(self, problems: list[Problem] | None = None) -> Iterator[tuple[Path, Path | None]]:
        """Yield the paths of recording and transcript. Members of an archive are unpacked and removed afterwards.

        A transcript that can't be unpacked is None, and its problem is added to `problems`.
        """
        with ExitStack() as stack:
            recording, transcript = stack.enter_context(self.tree.on_disk(self.recording)), None
            if self.transcript is not None:
                try:
                    transcript = stack.enter_context(self.tree.on_disk(self.transcript))
                except Unreadable as error:
                    if problems is not None:
                        problems.append(error.problem)
            yield recording, transcript


@dataclass
class Reader:
    """Reads values of one metadata file and adds a note for each that is invalid."""

    name: str
    notes: list[str] = field(default_factory=list)

    def note(self, sentence: str) -> None:
        self.notes.append(about(self.name, sentence))

    def end(self, value: object, key: str) -> datetime | None:
        if value is None or value == "" or count(value) == 0:
            self.note(_("it doesn't say when the Space ended ({key} is missing).").format(key=key))
            return None
        moment = instant(value)
        if moment is None:
            sentence = _("its {key} is {value}, which is not a time with a zone.")
            self.note(sentence.format(key=key, value=short(value)))
        return moment

    def number(self, value: object, key: str) -> int | None:
        number = count(value)
        if number is None and value is not None:
            sentence = _("its {key} is {value}, which is not a number of people.")
            self.note(sentence.format(key=key, value=short(value)))
        return number

    def cohosts(self, names: Iterable[str]) -> tuple[str, ...]:
        clean = _clean(names)
        if (more := len(clean) - MAX_COHOSTS) > 0:
            sentence = ngettext(
                "{count} co-host beyond the first {limit} was left out.",
                "{count} co-hosts beyond the first {limit} were left out.",
                more,
            )
            self.note(sentence.format(count=more, limit=MAX_COHOSTS))
        return clean[:MAX_COHOSTS]

    def speakers(self, names: Iterable[str]) -> tuple[str, ...]:
        clean = _clean(names)
        if (more := len(clean) - MAX_SPEAKERS) > 0:
            sentence = ngettext(
                "{count} speaker beyond the first {limit} was left out.",
                "{count} speakers beyond the first {limit} were left out.",
                more,
            )
            self.note(sentence.format(count=more, limit=MAX_SPEAKERS))
        return clean[:MAX_SPEAKERS]


def about(name: str, sentence: str) -> str:
    """Return a note about a file."""
    return _("{file}: {sentence}").format(file=base(name), sentence=sentence)


def _clean(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for name in (text(name, 100) for name in names) if name))
