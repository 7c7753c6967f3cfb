"""Correct the text and the speaker of transcript lines. Times stay, and no line is added or removed."""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple
from uuid import UUID

from archive import cues
from archive.cues import Cue
from archive.editing.permission import check_may_edit
from archive.editing.versions import NewVersion, find_version, newest_version, store_version
from archive.errors import Conflict, Refused
from archive.intake.transcripts.draft import MAX_NAME, MAX_TEXT
from archive.models import Space, Transcript, User

MAX_CORRECTIONS = 400  # lines in one version; a page sends two fields for each


class Correction(NamedTuple):
    """The new text and speaker of a line, by its number from 1. None: unchanged."""

    line: int
    text: str | None = None
    speaker: str | None = None


def correct_lines(space_id: UUID, base: int, corrections: Sequence[Correction], by: User) -> Transcript:
    """Save all corrections as one new version, and return it; if nothing changes, return the newest version.

    `base` is the number of the version that was corrected. Raises Conflict if it is not the newest one, Refused for
    invalid lines, TooLate, StorageError; then nothing was changed. Call outside of transactions.
    """
    space = Space.objects.get(pk=space_id)
    check_may_edit(space, by)
    version, newest = find_version(space, base), newest_version(space)
    checked = [_checked(one) for one in corrections]
    _check_numbers(checked, version)
    if not apply(checked, newest):  # perhaps a repeated request: the newest version has the corrections
        return newest
    if version.pk != newest.pk:
        raise Conflict("edit.transcript_changed", base=base, newest=newest.number)
    lines, changed = cues.load(newest.cues), apply(checked, newest)
    for number, cue in changed.items():
        lines[number - 1] = cue
    return store_version(NewVersion(newest, lines, newest.language, len(changed)), by)


def apply(corrections: Sequence[Correction], version: Transcript) -> dict[int, Cue]:
    """Return {number: line} of the lines that the corrections change in this version."""
    changed = {}
    for number, text, speaker in corrections:
        if number > len(version.cues):
            continue
        before = Cue(**version.cues[number - 1])
        after = replace(
            before,
            text=before.text if text is None else text,
            speaker=before.speaker if speaker is None else speaker,
        )
        if after != before:
            changed[number] = after
    return changed


def _checked(correction: Correction) -> Correction:
    """Normalize both texts as in an uploaded transcript. Raises Refused."""
    line, text, speaker = correction
    if text is not None:
        text = cues.plain(text)
        if not text:
            raise Refused("edit.line_empty", line=line)
        if len(text) > MAX_TEXT:
            raise Refused("edit.line_too_long", line=line, limit=MAX_TEXT)
    return Correction(line, text, None if speaker is None else checked_speaker(speaker))


def checked_speaker(name: str) -> str:
    """Normalize the name of a speaker as in an uploaded transcript; "" if unknown. Raises Refused."""
    name = cues.plain(name)
    if len(name) > MAX_NAME:
        raise Refused("edit.speaker_too_long", limit=MAX_NAME)
    return name


def _check_numbers(corrections: Sequence[Correction], version: Transcript) -> None:
    if len(corrections) > MAX_CORRECTIONS:
        raise Refused("edit.too_many_corrections", count=len(corrections), limit=MAX_CORRECTIONS)
    seen: set[int] = set()
    for number, _, _ in corrections:
        if not 1 <= number <= len(version.cues):
            raise Refused("edit.no_such_line", line=number, count=len(version.cues))
        if number in seen:
            raise Refused("edit.line_twice", line=number)
        seen.add(number)
