"""Signed URLs of feeds (archive/feeds.py), which work without signing in.

A URL ends when the feed is revoked, its Space reaches its deadline, the account is deactivated or closed, its password
changes, or all its sessions are ended, as with download links (portal/downloads.py).
"""

import base64
import binascii
import hmac
from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from django.conf import settings
from django.http import Http404
from django.urls import reverse
from django.utils.crypto import salted_hmac

from archive.encryption import secret_keys
from archive.models import Feed, Space, User
from portal.access import Gone, find_space

SALT = "portal.feed"
ID_BYTES = MAC_BYTES = 16


def calendar_url(feed: Feed) -> str:
    """The whole address of a calendar feed."""
    return settings.SITE_URL + reverse("feed-calendar", args=[_sign(feed)])


def webcal_url(feed: Feed) -> str:
    """The address of a calendar feed with the scheme that calendar programs register for."""
    return "webcal:" + calendar_url(feed).partition(":")[2]


def podcast_url(feed: Feed) -> str:
    """The whole address of a podcast feed."""
    return settings.SITE_URL + reverse("feed-podcast", args=[_sign(feed)])


def file_url(feed: Feed, name: str, ending: str) -> str:
    """The whole address of a file of a podcast: `name` is that of its URL pattern."""
    return settings.SITE_URL + reverse(name, args=[_sign(feed), ending])


def chapters_url(feed: Feed) -> str:
    """The whole address of the chapters of a podcast."""
    return settings.SITE_URL + reverse("feed-chapters", args=[_sign(feed)])


@dataclass(frozen=True)
class FeedAddress:
    """The content of a signed URL: the feed and its user."""

    feed: Feed
    user: User

    @classmethod
    def load(cls, token: str, kind: Feed.Kind) -> "FeedAddress":
        """Raises Http404 for text that we did not sign, and for a feed that was revoked or has ended otherwise; Gone
        for a podcast whose Space was deleted, since podcast programs only stop polling after a 410."""
        ids, mac = _split(token)
        feed = Feed.objects.select_related("user", "space__host").filter(pk=ids[0], kind=kind).first()
        if feed is None:
            _raise_gone(ids, mac)
            raise Http404
        if not feed.user.is_active or not _is_mac(mac, ids, feed.user):
            raise Http404
        return cls(feed, feed.user)

    def find(self) -> Space:
        """The Space of a podcast, if its content is served. Raises Http404; Gone from the deadline on."""
        if self.feed.space_id is None:
            raise Http404
        return find_space(self.user, self.feed.space_id, content=True).space


def _raise_gone(ids: list[UUID], mac: bytes) -> None:
    """Raise Gone for a podcast of a deleted Space. The row of the feed was deleted with it, but the Space's host is
    still known."""
    for space in Space.objects.filter(pk__in=ids[1:], state=Space.State.DELETED).select_related("host"):
        if _is_mac(mac, ids, space.host):
            raise Gone(space, None)


def _sign(feed: Feed) -> str:
    """The ids of the feed and of its Space, and a code that authenticates them."""
    ids = [feed.pk, *([feed.space_id] if feed.space_id else [])]
    return base64.urlsafe_b64encode(_bytes(ids) + _mac(ids, feed.user)).decode().rstrip("=")


def _split(token: str) -> tuple[list[UUID], bytes]:
    """The ids and the code of a token. Raises Http404 for other text."""
    try:
        data = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise Http404 from None
    if len(data) not in (ID_BYTES + MAC_BYTES, 2 * ID_BYTES + MAC_BYTES):
        raise Http404
    ids = data[:-MAC_BYTES]
    return [UUID(bytes=ids[at : at + ID_BYTES]) for at in range(0, len(ids), ID_BYTES)], data[-MAC_BYTES:]


def _bytes(ids: Iterable[UUID]) -> bytes:
    return b"".join(one.bytes for one in ids)


def _mac(ids: Iterable[UUID], user: User, secret: str | None = None) -> bytes:
    """Return 128 bits that change when the URL must end. `secret`: SECRET_KEY, or a former one."""
    value = f"{_bytes(ids).hex()} {user.password} {user.session_generation}"
    return salted_hmac(SALT, value, secret=secret, algorithm="sha256").digest()[:MAC_BYTES]


def _is_mac(mac: bytes, ids: list[UUID], user: User) -> bool:
    return any(hmac.compare_digest(mac, _mac(ids, user, secret)) for secret in secret_keys())
