"""Deletion certificates for people: a list of them, a readable page, and many in one ZIP file.

All facts are read from the signed document itself.
"""

import io
import json
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Func, JSONField, QuerySet, TextField, Value
from django.db.models.functions import Cast

from archive import policy
from archive.models import DeletionCertificate

ZIP_DATE = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class CertificateView:
    """The facts in a certificate. `deadline` may be None; `delay` is in seconds, None before the deadline."""

    space_id: str
    issued_at: datetime
    ended_at: datetime | None
    deadline: datetime | None
    codes: list[str]
    emptied_at: datetime | None
    document: dict[str, Any]

    @property
    def delay(self) -> float | None:
        if self.deadline is None or self.emptied_at is None or self.emptied_at < self.deadline:
            return None
        return (self.emptied_at - self.deadline).total_seconds()

    @property
    def is_late(self) -> bool:
        return self.delay is not None and self.delay > policy.MAX_DELETION_DELAY.total_seconds()


def with_facts(certificates: QuerySet[DeletionCertificate]) -> QuerySet[DeletionCertificate]:
    """Annotate with the columns of a list, without the documents: their lists of deleted objects may be long."""
    return certificates.defer("document").annotate(
        deadline_text=_text("deadline", "at"),
        codes_text=_text("deadline", "deadline_reasons"),
        emptied_text=_text("deletion", "listed_empty_at"),
    )


def list_view(certificate: Any) -> CertificateView:
    """Return the view of a row of `with_facts`, without its document."""
    return CertificateView(
        str(certificate.space_id),
        certificate.issued_at,
        None,
        parse_time(certificate.deadline_text),
        json.loads(certificate.codes_text or "[]"),
        parse_time(certificate.emptied_text),
        {},
    )


def full_view(certificate: DeletionCertificate) -> CertificateView:
    document = json.loads(certificate.document)
    return CertificateView(
        str(certificate.space_id),
        certificate.issued_at,
        parse_time(document["ended_at"]),
        parse_time(document["deadline"]["at"]),
        document["deadline"]["deadline_reasons"],
        parse_time(document["deletion"]["listed_empty_at"]),
        document,
    )


def zip_of(members: Iterable[tuple[str, bytes]]) -> Iterator[bytes]:
    """Yield a ZIP file of (name, content) in chunks, while it is made."""
    sink = _Sink()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(_member(name), content)
            yield sink.take()
    yield sink.take()


def parse_time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


class _Sink(io.RawIOBase):
    """A write-only file; `take` empties it."""

    def __init__(self) -> None:
        super().__init__()
        self.chunks: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self.chunks.append(bytes(data))
        return len(data)

    def take(self) -> bytes:
        taken, self.chunks = b"".join(self.chunks), []
        return taken


def _member(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name, ZIP_DATE)
    info.compress_type = zipfile.ZIP_DEFLATED
    info.external_attr = 0o644 << 16
    return info


def _text(*path: str) -> Func:
    keys = [Value(key) for key in path]
    return Func(Cast("document", JSONField()), *keys, function="jsonb_extract_path_text", output_field=TextField())
