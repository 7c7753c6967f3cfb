"""Collect the contents of a Space's bundle. They depend only on the Space and the software, on no clock, so the same
content gives the same bytes."""

import hashlib
import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Any

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext

from archive import cues
from archive.bundles import names
from archive.bundles.bag import bag, member
from archive.bundles.zip64 import Member, Range, Segment, layout
from archive.display.chapters import chapters_json
from archive.display.deadline_reasons import reasons_with_text
from archive.display.offline_page import File, render_offline_page
from archive.display.violations import violations_as_json
from archive.errors import ObjectChanged, ObjectMissing, Refused
from archive.log import rfc3339
from archive.models import Derived, Recording, Space
from archive.models.stored import StoredObject
from archive.storage import store

# Version of the bundle's format. Raise it only if nobody may download bundles of earlier releases any more: hosts have
# to request them again, and releases that run side by side consider each other's bundles outdated.
FORM = 5
MISSING = "The store did not have these files when this bundle was made:\n\n{}"


@dataclass(frozen=True)
class Contents:
    """`id` identifies the content (see `content_id`); `filename` is the name of the download."""

    id: str
    filename: str
    segments: list[Segment]

    @property
    def size(self) -> int:
        return sum(segment.length for segment in self.segments)


def contents(space: Space) -> Contents:
    """Return the present contents of the bundle of `space`. Reads the waveform from the store, so don't call it inside
    a transaction. Raises Refused when there is no recording, StoreDenied and StoreUnavailable."""
    name = folder(space)
    return Contents(content_id(space), f"{name}.zip", layout(members(space, name), space.ended_at))


def folder(space: Space) -> str:
    """Return the name of the one folder in the bundle."""
    return f"{names.safe(space.title)}-{space.ended_at:%Y-%m-%d}"


@translation.override("en")  # one language for all readers, so that the same content gives the same bytes
def members(space: Space, name: str) -> list[Member]:
    """Return the whole bag, under the folder `name`. Raises as `contents` does."""
    recordings = list(space.recordings.all())
    if not recordings:
        raise Refused("bundle.no_recording", space=space.id)
    lost = _lost(space)
    derived = _derived(space)
    payload = [member("data/space.json", _json(facts(space)))]
    for transcript in space.transcripts.all():
        spoken = cues.load(transcript.cues)
        for ending, (_, write) in cues.FORMS.items():
            file = names.transcript(transcript.number, transcript.language, ending)
            payload.append(member(f"data/{file}", write(spoken).encode()))
    if lost:
        payload.append(member("data/missing.txt", MISSING.format("".join(f"{name}\n" for name in lost)).encode()))
    if recordings[0].chapters:
        payload.append(member("data/chapters.json", chapters_json(recordings[0])))
    copy = derived.get(Derived.Kind.ACCESS_COPY)
    sounds: list[tuple[str, StoredObject]] = [(_recording(kept), kept) for kept in recordings]
    if copy:
        sounds.insert(0, (_access_copy_name(copy), copy))
    sounds = [(file, kept) for file, kept in sounds if file not in lost]
    shown = render_offline_page(
        space,
        recordings[0],
        space.transcripts.last(),
        sound=sounds[0][0] if sounds else "",
        peaks=_peaks(derived.get(Derived.Kind.PEAKS)),
        files=[file for file in _files(space, recordings, copy) if file.name not in lost],
        missing=list(lost),
        nonce=content_id(space)[:32],  # no text of the Space can contain a hash of itself and the salt
    )
    payload.insert(0, member("data/index.html", shown))
    payload += [_sound(file, kept) for file, kept in sounds]  # last, so that only the directory follows them
    return bag(name, payload, identifier=str(space.id), title=str(space), date=space.ended_at)


def content_id(space: Space) -> str:
    """Return the SHA-256 (hex) of all facts that the bundle is made from. Cheap enough for every page: it writes no
    transcript and sends no request to the store.

    The same id means the same bytes within a release. Styles, scripts, templates and sentences of this software don't
    count, so a ready bundle can be downloaded until a fact changes, whichever release built it.
    """
    known = facts(space) | {"deadline_reasons": [reason.as_json() for reason in space.stored_deadline().reasons]}
    spoken = [[t.number, t.language, t.sha256] for t in space.transcripts.defer("cues")]
    made = [[kind, kept.sha256] for kind, kept in sorted(_derived(space).items())]
    return hashlib.sha256(json.dumps([FORM, known, spoken, made], sort_keys=True).encode()).hexdigest()


def _derived(space: Space) -> dict[str, Derived]:
    return {kept.kind: kept for kept in space.derived.all()}


def _peaks(kept: Derived | None) -> list[list[float]] | None:
    """Return the peaks to draw the waveform from, or None if they can't be drawn. Raises StoreDenied,
    StoreUnavailable."""
    if kept is None or kept.size > Derived.MAX_PEAKS_BYTES:
        return None
    try:
        drawn = json.loads(store().read(kept.key, 0, kept.size, kept.etag))
        peaks = [[float(peak) for peak in channel] for channel in drawn["peaks"]]
        return peaks if all(map(math.isfinite, chain(*peaks))) else None
    except (
        ObjectMissing,
        ObjectChanged,
        ValueError,
        KeyError,
        TypeError,
    ):  # a page without a waveform is better than no bundle
        return None


def _lost(space: Space) -> dict[str, StoredObject]:
    """Return the objects of the bag that are known to be missing in the store, by file name. Empty unless
    BUNDLE_MISSING_OBJECTS allows gaps: then building the bundle fails."""
    if settings.BUNDLE_MISSING_OBJECTS != "list":
        return {}
    copy = _derived(space).get(Derived.Kind.ACCESS_COPY)
    kept: list[tuple[str, StoredObject]] = [(_recording(one), one) for one in space.recordings.all()]
    kept += [(_access_copy_name(copy), copy)] if copy else []
    return {name: one for name, one in kept if one.missing_at is not None}


def _recording(kept: Recording) -> str:
    return names.recording(kept.number, kept.extension)


def _access_copy_name(kept: Derived) -> str:
    return names.access_copy(kept.key.rpartition(".")[2])


def _sound(name: str, kept: StoredObject) -> Member:
    return Member(f"data/{name}", Range(kept.key, kept.etag, 0, kept.size, kept.crc32), kept.crc32, kept.sha256)


def _files(space: Space, recordings: list[Recording], copy: Derived | None) -> Iterator[File]:
    """Yield the files that the page links to, in page order."""
    for kept in recordings:
        yield File(_recording(kept), gettext("Recording"), kept.size)
    if copy:
        yield File(_access_copy_name(copy), gettext("Copy for browsers"), copy.size)
    for transcript in space.transcripts.defer("cues"):
        for ending in cues.FORMS:
            name = names.transcript(transcript.number, transcript.language, ending)
            yield File(name, gettext("Transcript as {format}").format(format=ending.upper()))
    if recordings[0].chapters:
        yield File("chapters.json", gettext("Chapters"))
    yield File("space.json", gettext("Facts"))


def facts(space: Space) -> dict[str, Any]:
    """Return space.json: the facts of a Space for its host. Times are RFC 3339, UTC; lengths in milliseconds."""
    due = space.stored_deadline()
    copy = _derived(space).get(Derived.Kind.ACCESS_COPY)
    return {
        "id": str(space.id),
        "title": space.title,
        "host": space.host.display_name,
        "started_at": rfc3339(space.started_at),
        "ended_at": rfc3339(space.ended_at),
        "who_could_talk": space.audience or None,
        "participants": [{"name": p.name, "role": p.role} for p in space.participants.all()],
        "listeners": {"peak": space.listeners_peak, "total": space.listeners_total},
        "recordings": [
            {
                "file": _recording(r),
                "size": r.size,
                "sha256": r.sha256,
                "duration_ms": r.duration_ms,
                "codec": r.codec,
                "sample_rate": r.sample_rate,
                "channels": r.channels,
                "chapters": r.chapters,
            }
            for r in space.recordings.all()
        ],
        "missing": list(_lost(space)),
        "access_copy": {"file": _access_copy_name(copy), "size": copy.size, "sha256": copy.sha256} if copy else None,
        "transcripts": [
            {
                "number": t.number,
                "language": t.language,
                "source": t.source,
                "edited_from": t.edited_from,
                "lines": t.line_count,
            }
            for t in space.transcripts.defer("cues")
        ],
        "violations": violations_as_json(space),
        "kept_until": rfc3339(due.at),
        "deadline_reasons": reasons_with_text(due.reasons),
        "salt": space.salt,  # proves that a deletion certificate is about this Space
    }


def _json(value: Any) -> bytes:
    return (json.dumps(value, ensure_ascii=False, indent=2) + "\n").encode()
