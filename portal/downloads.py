"""Download links of packages (bundles, export parts): each is signed for one user or one recorder's token.

With a signed link, `curl -C -` and download managers can resume without signing in. A link works until the first
deadline among the Spaces inside, and only while its grantee may have their content. It ends after DOWNLOAD_URL_SECONDS,
when the user's password changes or their sessions are ended, and when somebody revokes the links of the package
(archive/bundles/links.py).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Self
from uuid import UUID

from django.conf import settings
from django.core import signing
from django.http import Http404
from django.urls import reverse
from django.utils import timezone
from django.utils.crypto import constant_time_compare, salted_hmac

from archive import dbtime, recorders
from archive.encryption import secret_keys
from archive.models import Bundle, ExportPart, RecorderToken, Space, User
from portal.access import Gone, LinkEnded, find_for_token, find_space, find_spaces_for_token

SALT = "portal.download"
KINDS: dict[str, Any] = {"b": Bundle, "v": ExportPart}
Package = Bundle | ExportPart


def download_path(package: Package, by: User | RecorderToken) -> str:
    """Return the download URL of `package` for `by`. The URL of a bundle also contains its Space: the bundle's row is
    deleted with the Space, and the URL must answer 410 afterwards."""
    kind = "v" if isinstance(package, ExportPart) else "b"
    grantee = "t" if isinstance(by, RecorderToken) else "u"
    space_ids = [str(package.space_id)] if isinstance(package, Bundle) else []
    payload = [kind, str(package.pk), grantee, str(by.pk), _state(package, by), *space_ids]
    token = signing.dumps(payload, salt=SALT, compress=False)
    return reverse("download", args=[token, "export_part" if kind == "v" else "bundle"])


def _state(package: Package, by: User | RecorderToken, secret: str | None = None) -> str:
    """Return a digest of the values whose change ends a link: the package's link version, and the user's password hash
    and session generation. `secret`: SECRET_KEY, or a former one."""
    password = f"{by.password} {by.session_generation}" if isinstance(by, User) else ""
    value = f"{package.link_version} {password}"
    return salted_hmac(SALT, value, secret=secret, algorithm="sha256").hexdigest()[:32]


def _is_state(state: str, package: Package, by: User | RecorderToken) -> bool:
    return any(constant_time_compare(state, _state(package, by, secret)) for secret in secret_keys())


def link_ends_at() -> datetime:
    """When a link that is created at this moment expires."""
    return timezone.now() + timedelta(seconds=settings.DOWNLOAD_URL_SECONDS)


@dataclass(frozen=True)
class DownloadGrantee:
    """The user or the recorder's token that a URL was signed for."""

    by: User | RecorderToken

    @classmethod
    def load(cls, kind: str, key: str) -> Self:
        """Raises Http404 for a user who is not active any more, and for a token that does not work."""
        by: User | RecorderToken | None = (
            recorders.working().filter(pk=key).first()
            if kind == "t"
            else User.objects.filter(pk=key, is_active=True).first()
        )
        if by is None:
            raise Http404
        return cls(by)

    def find(self, space_id: UUID) -> Space:
        """Return the Space if the grantee may have its content. Raises Http404, Gone."""
        if isinstance(self.by, RecorderToken):
            return find_for_token(self.by, space_id)
        return find_space(self.by, space_id, content=True).space

    def is_host_of(self, spaces: Sequence[Space]) -> bool:
        return isinstance(self.by, User) and all(space.host_id == self.by.pk for space in spaces)

    def find_in_part(self, part: ExportPart) -> list[Space]:
        """The Spaces in an export part, in a fixed number of queries. Raises Http404; Gone if one of them is."""
        space_ids = part.places.filter(excluded=False).values("space")
        if isinstance(self.by, RecorderToken):
            return find_spaces_for_token(self.by, space_ids)
        if part.export.host_id != self.by.pk:
            raise Http404
        spaces, now = list(Space.objects.filter(pk__in=space_ids).select_related("host")), dbtime.now()
        for space in spaces:
            if not space.is_served(now):
                raise Gone(space, self.by)
        return spaces


@dataclass(frozen=True)
class DownloadToken:
    """The content of a download URL: the package, its grantee, and the ids of its Spaces."""

    package: Package | None
    grantee: DownloadGrantee
    space_ids: list[UUID]

    @classmethod
    def load(cls, token: str) -> Self:
        """Raises Http404 for text that we did not sign, and for a grantee that is not active any more. Raises LinkEnded
        for a link that is too old or was revoked. The link of a package whose row is gone is not checked further:
        its Spaces are deleted, or have another package."""
        try:
            kind, package_id, grantee_kind, by, state, *space_ids = signing.loads(token, salt=SALT)
            package = KINDS[kind].objects.filter(pk=package_id).first()
        except (signing.BadSignature, ValueError, KeyError):
            raise Http404 from None
        grantee = DownloadGrantee.load(grantee_kind, by)
        if package and (_is_old(token) or not _is_state(state, package, grantee.by)):
            raise LinkEnded
        return cls(package, grantee, [UUID(space_id) for space_id in space_ids])


def _is_old(token: str) -> bool:
    try:
        signing.loads(token, salt=SALT, max_age=settings.DOWNLOAD_URL_SECONDS)
    except signing.SignatureExpired:
        return True
    return False
