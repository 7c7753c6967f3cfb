"""Serve content: log each access (archive/content_access.py), and sign URLs that end with the Space."""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.conf import settings
from django.http import Http404, HttpResponse, HttpResponseRedirect

from archive import cues, dbtime, notices
from archive.bundles.names import safe
from archive.content_access import Grantee, Kind, record_access
from archive.models import Space, User
from archive.storage import store
from archive.storage.s3 import content_disposition
from portal.access import Gone

NUMBER = re.compile(r"[1-9][0-9]{0,3}")  # of a version


def redirect_to_object(
    kind: Kind,
    spaces: Sequence[Space],
    by: Grantee,
    key: str,
    filename: str,
    content_type: str,
    until: datetime | None,
) -> HttpResponse:
    """Log the access to `spaces`, and redirect to a signed URL of the object that has their content.

    HEAD and Range requests are logged too, because the URL serves the whole object. It works for min(5 minutes, time
    left `until`). Raises StorageError; Gone, of the first Space.
    """
    inline = kind == Kind.PLAYED
    if not inline:
        store().head(key)  # a lost object, or a store that is down, leads to our error page
    lifetime = signed_url_lifetime(spaces[0], until)
    url = store().signed_url(key, expires=lifetime, filename=filename, content_type=content_type, inline=inline)
    record_access(kind, spaces, by, key=key)  # last, because a refused request is no access
    if kind == Kind.DOWNLOADED and isinstance(by, User):
        notices.retire(by, [space.pk for space in spaces], downloaded=True)
    return HttpResponseRedirect(url)


def serve_transcript(space: Space, by: Grantee, ending: str, version: str = "") -> HttpResponse:
    """Serve the transcript as vtt, srt, txt or json, rendered from the cues in the database. `version`: its number,
    from 1; "" is the newest. Raises Http404."""
    if version and not NUMBER.fullmatch(version):
        raise Http404
    versions = space.transcripts.filter(number=int(version)) if version else space.transcripts.all()
    transcript = versions.last()
    if transcript is None or ending not in cues.FORMS:
        raise Http404
    content_type, write = cues.FORMS[ending]
    record_access(Kind.DOWNLOADED, [space], by, key=transcript.key)
    response = HttpResponse(write(cues.load(transcript.cues)), content_type=content_type)
    of_version = f"-version-{version}" if version else ""
    name = f"{file_stem(space)}{of_version}.{transcript.language}.{ending}"
    response["Content-Disposition"] = content_disposition("attachment", name)
    return response


def file_stem(space: Space) -> str:
    """The name of a downloaded file, without its ending."""
    return f"{safe(space.title)}-{space.ended_at:%Y-%m-%d}"


def signed_url_lifetime(space: Space, until: datetime | None) -> timedelta:
    """min(5 minutes, time left `until`). Call it after the store has answered, since waiting takes time. Raises
    Gone."""
    lifetime = timedelta(seconds=settings.SIGNED_URL_SECONDS)
    if until is not None:
        lifetime = min(lifetime, until - dbtime.now())
    if lifetime < timedelta(seconds=1):
        raise Gone(space, space.host)
    return lifetime
