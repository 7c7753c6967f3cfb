"""The pages on which a host edits a Space. Plain values for templates."""

from collections.abc import Sequence
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from archive import cues
from archive.cues import Cue
from archive.display.transcript import format_seconds
from archive.editing.corrections import Correction
from archive.editing.facts import Editable
from archive.editing.versions import MAX_VERSIONS
from archive.formatting import format_duration, format_time
from archive.intake.transcripts.renaming import Speaker, list_speakers
from archive.models import Space, Transcript
from portal.forms.editing import SpaceForm

LINES = 50  # on a page
MAX_LISTED = 100  # speakers; those with the most lines are listed


def edit_page(space: Space, now: Editable, form: SpaceForm, names: dict[str, str] | None = None) -> dict[str, Any]:
    """The context of edit/page.html. `names`: new names of speakers, as they were typed."""
    lines = cues.load(now.transcript.cues) if now.transcript else []
    return {
        "space": space,
        "form": form,
        "audiences": Space.Audience.choices,
        "roles": [("cohost", _("Co-host")), ("speaker", _("Speaker"))],
        "transcript": now.transcript,
        "speakers": [_speaker_row(speaker, names or {}) for speaker in _most_heard(lines, now)],
        "versions": list_versions(space),
    }


def saved_meanwhile(form: SpaceForm, now: Editable) -> dict[str, Any]:
    """Return {field: readable saved value} of the facts that differ from the typed ones."""
    typed = form.facts.cleaned_data
    saved = {**vars(now.facts), "language": now.language}
    differing = {name: value for name, value in saved.items() if typed[name] != value}
    if "audience" in differing:
        differing["audience"] = dict(Space.Audience.choices)[differing["audience"]]
    if differing.get("started_at"):
        differing["started_at"] = format_time(differing["started_at"])
    return differing


def list_versions(space: Space) -> list[Transcript]:
    """All versions of the transcript, the newest first, without their lines."""
    return list(space.transcripts.defer("cues").order_by("-number")[:MAX_VERSIONS])


def lines_page(space: Space, transcript: Transcript, start: int) -> dict[str, Any]:
    """The context of edit/transcript.html: lines from the number `start` on."""
    lines = cues.load(transcript.cues)
    first = min(start, max(len(lines), 1))
    rows = [line_row(number, cue, Correction(number)) for number, cue in enumerate(lines, 1)]
    last = min(first + LINES - 1, len(lines))
    return {
        **_lines_context(space, transcript, lines),
        "rows": rows[first - 1 : last],
        "first": first,
        "last": last,
        "previous": max(1, first - LINES) if first > 1 else None,
        "next": last + 1 if last < len(lines) else None,
    }


def refused_lines_page(
    space: Space, base: Transcript | None, newest: Transcript, corrections: Sequence[Correction]
) -> dict[str, Any]:
    """The context of edit/transcript.html after a refusal: the corrected lines as they were typed, beside the newest
    version. `base`: the version that was corrected. A line that the newest version lacks is "unplaced"."""
    lines = cues.load(newest.cues)
    before = cues.load(base.cues) if base else lines
    rows, unplaced = [], []
    for correction in corrections:
        number = _find_line(correction.line, before, lines)
        if number is None:
            unplaced.append(correction)
        elif base is None or _differs(correction, before[correction.line - 1]):
            rows.append(line_row(number, lines[number - 1], correction))
    return {**_lines_context(space, newest, lines), "rows": rows, "unplaced": unplaced, "refused": True}


def corrected_line_url(version: Transcript, corrections: Sequence[Correction]) -> str:
    """The page of the Space at the first of these lines, or at the transcript if there is none."""
    url = reverse("space", args=[version.space_id])
    line = corrections[0].line if corrections else 0
    if not 1 <= line <= len(version.cues):
        return f"{url}#transcript-title"
    return f"{url}?t={format_seconds(version.cues[line - 1]['start_ms'])}"


def line_row(number: int, cue: Cue, correction: Correction) -> dict[str, Any]:
    """Return a line with its fields. `text` and `speaker` are the values of the fields; `cue` is the saved line."""
    return {
        "number": number,
        "cue": cue,
        "stamp": format_duration(cue.start_ms // 1000),
        "t": format_seconds(cue.start_ms),
        "text": cue.text if correction.text is None else correction.text,
        "speaker": cue.speaker if correction.speaker is None else correction.speaker,
    }


def _lines_context(space: Space, transcript: Transcript, lines: Sequence[Cue]) -> dict[str, Any]:
    named = [speaker.name for speaker in list_speakers(lines) if speaker.name]
    return {"space": space, "transcript": transcript, "speakers": named[:MAX_LISTED], "total": len(lines)}


def _find_line(number: int, before: Sequence[Cue], lines: Sequence[Cue]) -> int | None:
    """The number, in `lines`, of a line of `before`. Edits keep numbers and times, uploads may not."""
    if not 1 <= number <= len(before):
        return None
    start = before[number - 1].start_ms
    if number <= len(lines) and lines[number - 1].start_ms == start:
        return number
    return next((place for place, cue in enumerate(lines, 1) if cue.start_ms == start), None)


def _differs(correction: Correction, cue: Cue) -> bool:
    text, speaker = correction.text, correction.speaker
    return (text is not None and cues.plain(text) != cue.text) or (
        speaker is not None and cues.plain(speaker) != cue.speaker
    )


def _most_heard(lines: Sequence[Cue], now: Editable) -> list[Speaker]:
    speakers = list_speakers(lines, now.participants)
    if len(speakers) <= MAX_LISTED:
        return speakers
    return sorted(speakers, key=lambda speaker: -speaker.lines)[:MAX_LISTED]


def _speaker_row(speaker: Speaker, names: dict[str, str]) -> dict[str, Any]:
    """`account`: the user name entered for the participant of this name; two participants with the same name get no
    lines."""
    person = speaker.participants[0] if len(speaker.participants) == 1 else None
    return {
        "old": speaker.name,
        "name": names.get(speaker.name, speaker.name),
        "lines": speaker.lines,
        "account": person.account if person and person.role != "host" else "",
        "is_shared": len(speaker.participants) > 1,
    }
