"""What must hold whatever died, once its work was taken up again. Asked of PostgreSQL, the bucket and the log directly,
in their own words: the code that is being tested has no say.

Nothing held is deleted, and nothing before its time. Nothing acknowledged is lost. Of what was deleted nothing remains,
and every Space has one end in the log. Nothing is stuck. The store has nothing that no row knows.
"""

import base64
import hashlib
import io
import json
import os
import zipfile
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol
from uuid import UUID

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.db import connection

from archive.storage import store

DAY = timedelta(days=1)
OBJECTS = ("archive_recording", "archive_transcript", "archive_derived")
# Rows that somebody should have taken up.
STUCK = {
    "archive_space": "state IN ('receiving', 'processing', 'expiring') OR (state <> 'deleted' AND expires_at <= now())",
    "archive_uploadsession": "state IN ('open', 'arrived') OR (upload_id <> '' AND "
    "(state = 'aborted' OR (state = 'taken' AND kind = 'transcript')))",
    "archive_bundle": "state IN ('requested', 'building') OR (state = 'ready' AND sha256 = '') "
    "OR (state IN ('failed', 'removed') AND NOT cleared)",
    "archive_volume": "state IN ('requested', 'building') OR (state = 'ready' AND sha256 = '') "
    "OR (state IN ('failed', 'removed') AND NOT cleared)",
    "archive_notice": "state = 'due'",
    "archive_relisting": "marker <> '' OR finished_at IS NULL OR finished_at < now() - interval '24 hours'",
}


class Promised(Protocol):
    """What somebody was told: tests.faults.world.Known."""

    kept: dict[UUID, str]
    said: dict[UUID, set[str]]
    due: set[UUID]
    held: set[UUID]


def promised(ended_at: datetime, lifted: Sequence[datetime | None], *, held: bool) -> datetime | None:
    """The retention rule, as people say it. `lifted`: of each violation when, or None while it stands."""
    if held:
        return None
    if None in lifted:
        return ended_at + 120 * DAY
    last = max((moment + 7 * DAY for moment in lifted if moment), default=ended_at)
    return min(max(ended_at + 30 * DAY, last), ended_at + 120 * DAY)


def stuck() -> list[str]:
    """Work that waits for somebody."""
    return [
        f"{table} {pk} is {state}: {problem}"
        for table, waits in STUCK.items()
        for pk, state, problem in rows(f"SELECT id, state, problem FROM {table} WHERE {waits}")
    ]


@dataclass
class Invariants:
    """Looks again and again; what was looked at and can't change is remembered."""

    known: Promised
    seen: dict[tuple[str, str, datetime], bytes] = field(default_factory=dict)
    proven: set[UUID] = field(default_factory=set)

    def violations(self, mailed: Collection[str]) -> list[str]:
        """Everything that is not as it must be. `mailed`: the Message-IDs that the mail server has got."""
        there, uploads = self._objects(), _uploads()
        return [
            *stuck(),
            *self._deleted(),
            *self._kept(there),
            *self._stray(there, uploads),
            *self._packages(there),
            *_deadlines(),
            *_ends(),
            *_stories(),
            *_notices(mailed),
            *self._certificates(),
        ]

    def _deleted(self) -> Iterator[str]:
        """Only what was due; and everything that was, unless somebody held it."""
        gone = {pk for (pk,) in rows("SELECT id FROM archive_space WHERE state = 'deleted'")}
        for pk in gone - self.known.due:
            yield f"{pk} was deleted, and was not due"
        for pk in self.known.due - gone:
            yield f"{pk} was due, and is not deleted"
        for pk in gone & {space for (space,) in rows("SELECT space_id FROM archive_hold WHERE state = 'standing'")}:
            yield f"{pk} was deleted while a hold stood"
        for table in (*OBJECTS, "archive_bundle", "archive_participant", "archive_uploadsession"):
            for (pk,) in rows(
                f"SELECT space_id FROM {table} JOIN archive_space s ON s.id = space_id WHERE s.state = 'deleted'"
            ):
                yield f"{pk} is deleted, and {table} still has a row of it"

    def _kept(self, there: Mapping[str, bytes]) -> Iterator[str]:
        """What was acknowledged is there, byte for byte; and so is whatever a row says is there."""
        found: dict[UUID, set[str]] = {}
        for table in OBJECTS:
            for pk, key, size, sha256, missing in rows(f"SELECT space_id, key, size, sha256, missing_at FROM {table}"):
                data = there.get(key)
                if data is None or (len(data), _sha256(data)) != (size, sha256) or missing:
                    yield f"{key} is not what was stored"
                elif table == "archive_recording":
                    found.setdefault(pk, set()).add(sha256)
        for pk, sha256 in self.known.kept.items():
            if pk not in self.known.due and sha256 not in found.get(pk, ()):
                yield f"the recording of {pk} is lost"
        for pk in self.known.held - set(found):
            yield f"{pk} is held, and lost"
        said = dict(rows("SELECT space_id, string_agg(cues::text, ' ') FROM archive_transcript GROUP BY space_id"))
        for pk, words in self.known.said.items():
            if pk not in self.known.due and not all(word in said.get(pk, "") for word in words):
                yield f"a transcript of {pk} is lost"

    def _objects(self) -> dict[str, bytes]:
        """{key: bytes} of everything in the bucket."""
        client, bucket = store().client, store().bucket
        found = {}
        for page in client.get_paginator("list_object_versions").paginate(Bucket=bucket):
            for one in page.get("Versions", []):
                name = (one["Key"], one["ETag"], one["LastModified"])
                if name not in self.seen:
                    self.seen[name] = client.get_object(Bucket=bucket, Key=one["Key"])["Body"].read()
                found[one["Key"]] = self.seen[name]
        return found

    def _stray(self, there: Collection[str], uploads: Collection[str]) -> Iterator[str]:
        ours = {key for table in OBJECTS for (key,) in rows(f"SELECT key FROM {table}")}
        ours |= {
            key
            for table in ("bundle", "volume")
            for (key,) in rows(f"SELECT key FROM archive_{table} WHERE state = 'ready'")
        }
        ours |= {
            key for (key,) in rows("SELECT key FROM archive_uploadsession WHERE state = 'refused' AND upload_id <> ''")
        }
        for key in sorted(set(there) - ours):
            yield f"{key} is in the store, and belongs to nothing"
        for key in uploads:
            yield f"an upload of {key} is still open"

    def _packages(self, there: Mapping[str, bytes]) -> Iterator[str]:
        """What is ready is whole, and holds nothing of a Space that is deleted."""
        gone = {sha256 for pk, sha256 in self.known.kept.items() if pk in self.known.due}
        for table in ("archive_bundle", "archive_volume"):
            for key, sha256 in rows(f"SELECT key, sha256 FROM {table} WHERE state = 'ready'"):
                data = there.get(key, b"")
                if _sha256(data) != sha256:
                    yield f"{key} is not what its row says"
                    continue
                with zipfile.ZipFile(io.BytesIO(data)) as bag:
                    inside = {_sha256(bag.read(name)) for name in bag.namelist() if "recording." in name}
                if not inside or inside & gone:
                    yield f"{key} has no recording, or one that was deleted"

    def _certificates(self) -> Iterator[str]:
        key = Ed25519PrivateKey.from_private_bytes(base64.b64decode(os.environ["CERTIFICATE_KEY"])).public_key()
        told = dict(rows("SELECT space_id, detail->>'certificate' FROM archive_logentry WHERE event = 'space.deleted'"))
        for pk, document in rows("SELECT space_id, document FROM archive_certificate"):
            if pk in self.proven:
                continue
            said = json.loads(document)
            signature = bytes.fromhex(said.pop("signature"))
            try:
                key.verify(signature, json.dumps(said, sort_keys=True, separators=(",", ":")).encode())
            except InvalidSignature:
                yield f"the certificate of {pk} is not signed"
            if said["space"] != str(pk) or told.get(pk) != _sha256(document.encode()):
                yield f"the certificate of {pk} is not the one that the log tells of"
            self.proven.add(pk)


def _deadlines() -> Iterator[str]:
    facts: dict[UUID, list[datetime | None]] = {}
    for pk, lifted_at in rows("SELECT space_id, lifted_at FROM archive_violation"):
        facts.setdefault(pk, []).append(lifted_at)
    held = {pk for (pk,) in rows("SELECT space_id FROM archive_hold WHERE state = 'standing'")}
    for pk, ended_at, expires_at in rows("SELECT id, ended_at, expires_at FROM archive_space WHERE state <> 'deleted'"):
        if expires_at != (due := promised(ended_at, facts.get(pk, []), held=pk in held)):
            yield f"{pk} is kept until {expires_at}, and the rule says {due}"


def _ends() -> Iterator[str]:
    """One beginning and one end of each deletion, in this order, and one certificate."""
    ends = dict(
        rows(
            "SELECT space_id, string_agg(event, ' ' ORDER BY id) FROM archive_logentry "
            "WHERE event IN ('deletion.began', 'space.deleted') GROUP BY space_id"
        )
    )
    certified = {pk for (pk,) in rows("SELECT space_id FROM archive_certificate")}
    for pk, state in rows("SELECT id, state FROM archive_space"):
        right = ("deletion.began space.deleted", True) if state == "deleted" else ("", False)
        if (ends.get(pk, ""), pk in certified) != right:
            yield f"{pk} is {state}, and the log has: {ends.get(pk)}"


# The log against the rows: an event, and where it must be as often as there are rows.
TOLD = [
    ("violation.flagged", "violation", "archive_violation", "true"),
    ("violation.lifted", "violation", "archive_violation", "state = 'lifted'"),
    ("violation.appealed", "appeal", "archive_appeal", "true"),
    ("appeal.granted", "appeal", "archive_appeal", "state = 'granted'"),
    ("appeal.denied", "appeal", "archive_appeal", "state = 'denied'"),
    ("hold.released", "hold", "archive_hold", "state = 'released'"),
    ("notice.sent", "notice", "archive_notice", "state = 'sent'"),
]
ONCE = ("requested", "ready", "proven", "failed removed")


def _stories() -> Iterator[str]:
    for event, name, table, condition in TOLD:
        logged = sorted(
            int(pk) if pk.isdigit() else pk
            for (pk,) in rows(f"SELECT detail->>'{name}' FROM archive_logentry WHERE event = %s", event)
        )
        there = sorted(
            pk if isinstance(pk, int) else str(pk) for (pk,) in rows(f"SELECT id FROM {table} WHERE {condition}")
        )
        if logged != there:
            yield f"the log has {event} of {logged}, the rows of {there}"
    for kind in ("bundle", "volume"):
        for once in ONCE:
            events = [f"{kind}.{event}" for event in once.split()]
            for pk, count in rows(
                f"SELECT detail->>'{kind}', count(*) FROM archive_logentry WHERE event = ANY(%s) "
                f"GROUP BY 1 HAVING count(*) > 1",
                events,
            ):
                yield f"{kind} {pk} is {once} {count} times"
    for pk, event in rows(
        "SELECT space_id, event FROM archive_logentry WHERE event IN ('space.received', 'space.available', "
        "'space.rejected') GROUP BY 1, 2 HAVING count(*) > 1"
    ):
        yield f"{pk} has {event} more than once"


def _notices(mailed: Collection[str]) -> Iterator[str]:
    for (pk,) in rows("SELECT id FROM archive_notice WHERE state = 'sent'"):
        if not any(name.startswith(f"<{pk}@") for name in mailed):
            yield f"notice {pk} was never mailed"


def _uploads() -> list[str]:
    pages = store().client.get_paginator("list_multipart_uploads").paginate(Bucket=store().bucket)
    return [one["Key"] for page in pages for one in page.get("Uploads", [])]


def rows(sql: str, *values: Any) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values or None)
        return list(cursor.fetchall())


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
