"""What goes into a Space's bundle. Everything in it is the Space's own: no clock of ours, so same content, same
bytes."""

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from archive import cues
from archive.bundles.bag import bag, member
from archive.bundles.layout import Member, Range, Segment, layout
from archive.bundles.names import safe
from archive.errors import Refused
from archive.log import moment
from archive.models import Recording, Space

FORM = 2  # of the bundle: raise it when the same facts give other bytes than before


@dataclass(frozen=True)
class Contents:
    """`id` names what is in it (see `content_id`); `filename` is what the download is called."""

    id: str
    filename: str
    segments: list[Segment]

    @property
    def size(self) -> int:
        return sum(segment.length for segment in self.segments)


def contents(space: Space) -> Contents:
    """The bundle of `space` as it stands. Raises Refused when it has no recording."""
    recordings = list(space.recordings.all())
    if not recordings:
        raise Refused(f"{space.id} has no recording, so there is nothing to bundle.")
    payload = [member("data/space.json", _json(facts(space)))]
    for transcript in space.transcripts.all():
        spoken = cues.load(transcript.cues)
        which = "" if transcript.number == 1 else f".{transcript.number}"
        for ending, (_, write) in cues.FORMS.items():
            payload.append(member(f"data/transcript{which}.{transcript.language}.{ending}", write(spoken).encode()))
    payload += [_sound(recording) for recording in recordings]  # last: what follows it is only the directory
    folder = f"{safe(space.title)}-{space.ended_at:%Y-%m-%d}"
    members = bag(folder, payload, identifier=str(space.id), title=str(space), date=space.ended_at)
    return Contents(content_id(space), f"{folder}.zip", layout(members, space.ended_at))


def content_id(space: Space) -> str:
    """SHA-256 (hex) over everything that the bundle is made from: same id, same bytes. Cheap enough for every page: no
    transcript is written out for it."""
    words = [[t.number, t.language, t.sha256] for t in space.transcripts.all()]
    return hashlib.sha256(json.dumps([FORM, facts(space), words], sort_keys=True).encode()).hexdigest()


def _sound(recording: Recording) -> Member:
    which = "" if recording.number == 1 else f"-{recording.number}"
    body = Range(recording.key, recording.etag, 0, recording.size)
    return Member(f"data/recording{which}.{recording.extension}", body, recording.crc32, recording.sha256)


def facts(space: Space) -> dict[str, Any]:
    """space.json: the facts of a Space, as its host may have them. Times are RFC 3339, UTC; lengths in milliseconds."""
    due = space.promise()
    return {
        "id": str(space.id),
        "title": space.title,
        "host": space.host.display_name,
        "ended_at": moment(space.ended_at),
        "who_could_talk": space.audience or None,
        "participants": [{"name": p.name, "role": p.role} for p in space.participants.all()],
        "listeners": {"peak": space.listeners_peak, "total": space.listeners_total},
        "recordings": [
            {
                "file": f"recording{'' if r.number == 1 else f'-{r.number}'}.{r.extension}",
                "size": r.size,
                "sha256": r.sha256,
                "duration_ms": r.duration_ms,
                "codec": r.codec,
                "sample_rate": r.sample_rate,
                "channels": r.channels,
            }
            for r in space.recordings.all()
        ],
        "transcripts": [
            {"language": t.language, "source": t.source, "lines": len(t.cues)} for t in space.transcripts.all()
        ],
        "violations": [
            {
                "rule": v.rule.name,
                "state": v.state,
                "reason": v.reason,
                "flagged_at": moment(v.flagged_at),
                "lifted_at": moment(v.lifted_at),
            }
            for v in space.violations.select_related("rule")
        ],
        "kept_until": moment(due.at),
        "because": list(due.reasons),
        "salt": space.salt,  # with it, a certificate of deletion can be shown to speak of this very Space
    }


def _json(value: Any) -> bytes:
    return (json.dumps(value, ensure_ascii=False, indent=2) + "\n").encode()
