"""Sign the URLs of parts: each for one part of one multipart upload, of an exact size, and invalid after its end."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction

from archive import dbtime
from archive.errors import Refused, TooLate
from archive.intake.uploads.sessions import multipart, record_activity
from archive.models import UploadPart, UploadSession
from archive.storage import signed_part
from archive.storage.capabilities import PartChecksums


@dataclass(frozen=True)
class Signed:
    """The destination of a part: PUT to `url`, with `headers`, before `expires_at`."""

    number: int
    url: str
    headers: dict[str, str]
    expires_at: datetime


def size_of(session: UploadSession, number: int) -> int:
    """Return the bytes of part `number`, from 1."""
    return min(session.part_size, session.size - (number - 1) * session.part_size)


def sign(session: UploadSession, wanted: Mapping[int, str]) -> list[Signed]:
    """Sign URLs for these parts: {number: SHA-256 of the part in base64, or ""}. Raises Refused for a number that the
    file does not have, Conflict when the session has ended, TooLate."""
    if wrong := [number for number in wanted if not 1 <= number <= session.part_count]:
        raise Refused("upload.no_such_part", part=wrong[0], count=session.part_count)
    if session.part_checksums == PartChecksums.ANNOUNCED and not all(wanted.values()):
        raise Refused("upload.part_needs_sha256", parts=[number for number, sha256 in wanted.items() if not sha256])
    _remember(session, wanted)
    record_activity(session)
    upload, now = multipart(session), dbtime.now()
    lives = timedelta(seconds=3 * settings.SIGNED_URL_SECONDS)
    if session.space.expires_at is not None:
        lives = min(lives, session.space.expires_at - now)
    if lives < timedelta(seconds=1):
        raise TooLate("upload.too_late")

    def shown(sha256: str) -> str:
        return "" if session.part_checksums == PartChecksums.NONE else sha256

    return [
        Signed(number, *signed_part(upload, number, size_of(session, number), shown(sha256), lives), now + lives)
        for number, sha256 in sorted(wanted.items())
    ]


def _remember(session: UploadSession, wanted: Mapping[int, str]) -> None:
    """Store the checksums before the URLs are signed. A part signed for two checksums counts as unknown."""
    with transaction.atomic():
        if not UploadSession.objects.select_for_update().filter(pk=session.pk).exists():
            raise TooLate("upload.too_late")
        known = dict(session.parts.filter(number__in=wanted).values_list("number", "sha256"))
        fresh = [number for number in wanted if number not in known]
        UploadPart.objects.bulk_create(UploadPart(session=session, number=n, sha256=wanted[n]) for n in fresh)
        unsure = [number for number, sha256 in known.items() if sha256 != wanted[number]]
        session.parts.filter(number__in=unsure).update(sha256="")
