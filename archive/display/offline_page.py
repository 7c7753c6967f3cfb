"""Render the offline page: index.html of a bundle, which works from a disk without any network.

It shares partial templates, styles and scripts with the site (assets.py). It contains no current time, so the same
content gives the same bytes; its clock uses the time of the reader's machine.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.template.loader import render_to_string
from django.utils import translation

from archive import cues, formatting
from archive.display.assets import TEMPLATE, assets
from archive.display.chapters import chapter_rows
from archive.display.clock import offline_clock
from archive.display.facts import list_facts
from archive.display.transcript import cue_rows, describe_length
from archive.display.violations import FlagView, flag_views
from archive.models import Participant, Recording, Space, Transcript


@dataclass(frozen=True)
class File:
    """A file beside the page. `size` in bytes; None for small files."""

    name: str
    label: str
    size: int | None = None


@dataclass(frozen=True)
class Related:
    """Rows of other tables that belong to a Space."""

    participants: Iterable[Participant]
    violations: Sequence[FlagView]

    @classmethod
    def of(cls, space: Space) -> "Related":
        return cls(space.participants.all(), flag_views(space))


@translation.override("en")  # one language for all readers, so that the same content gives the same bytes
def render_offline_page(  # noqa: PLR0913  # one argument for each thing that the page shows
    space: Space,
    recording: Recording,
    transcript: Transcript | None,
    *,
    sound: str,
    peaks: list[list[float]] | None,
    files: Sequence[File],
    missing: Sequence[str] = (),
    nonce: str,
    related: Related | None = None,
) -> bytes:
    """Return the page as UTF-8.

    `sound`: the name of the file for browsers, empty if there is none. `peaks`: the waveform. `missing`: names of files
    that the store has lost. `nonce` allows the waveform's style sheet, so no text on the page may contain it.
    `related` is read from the database unless it is given.
    """
    related = related or Related.of(space)
    rows = cue_rows(cues.load(transcript.cues)) if transcript else []
    context: dict[str, Any] = {
        "offline": True,
        "assets": assets(),
        "policy": assets().policy(nonce),
        "nonce": nonce,
        "space": space,
        "face": offline_clock(space),
        "recording": recording,
        "length": formatting.format_duration(recording.duration_ms / 1000),
        "audio_url": sound,
        "peaks": _json_for_script(peaks) if peaks else "",
        "chapters": chapter_rows(recording),
        "cues": rows,
        "transcript_length": describe_length(rows),
        "facts": list_facts(space),
        "participants": related.participants,
        "violations": related.violations,
        "files": files,
        "missing": missing,
    }
    return render_to_string(TEMPLATE, context).encode()


def _json_for_script(value: Any) -> str:
    """Encode JSON that can't end the <script> that contains it."""
    return json.dumps(value, separators=(",", ":")).replace("<", "\\u003c")
