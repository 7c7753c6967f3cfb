"""Signed addresses of feeds (archive/feeds.py): they work without signing in, until one of these ends them.

The feed is revoked, its Space reaches its deadline, the account is deactivated or closed, its password changes, or its
sessions are all ended, as with download links (portal/downloads.py).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from django.conf import settings
from django.core import signing
from django.http import Http404
from django.urls import reverse
from django.utils.crypto import constant_time_compare, salted_hmac

from archive.models import Feed, Space, User
from portal.access import Gone, find_space

SALT = "portal.feed"


def calendar_url(feed: Feed) -> str:
    """The whole address of a calendar feed."""
    return settings.SITE_URL + reverse("feed-calendar", args=[_sign(feed)])


def podcast_url(feed: Feed) -> str:
    """The whole address of a podcast feed."""
    return settings.SITE_URL + reverse("feed-podcast", args=[_sign(feed)])


def file_url(feed: Feed, name: str, ending: str) -> str:
    """The whole address of a file of a podcast: `name` is that of its URL pattern."""
    return settings.SITE_URL + reverse(name, args=[_sign(feed), ending])


@dataclass(frozen=True)
class FeedAddress:
    """What a signed address names: the feed with its user."""

    feed: Feed
    user: User

    @classmethod
    def load(cls, token: str, kind: Feed.Kind) -> "FeedAddress":
        """Raises Http404 for text that we did not sign, and for a feed that was revoked or has ended otherwise; Gone
        for a podcast whose Space was deleted, since programs that fetch it stop at a 410 only."""
        try:
            feed_id, state, *space_ids = signing.loads(token, salt=SALT)
        except (signing.BadSignature, ValueError):
            raise Http404 from None
        feed = Feed.objects.select_related("user", "space__host").filter(pk=feed_id, kind=kind).first()
        if feed is None:
            _raise_gone(space_ids)
            raise Http404
        if not feed.user.is_active or not _is_state(state, feed.user):
            raise Http404
        return cls(feed, feed.user)

    def find(self) -> Space:
        """The Space of a podcast, if its content is served. Raises Http404; Gone from the deadline on."""
        if self.feed.space_id is None:
            raise Http404
        return find_space(self.user, self.feed.space_id, content=True).space


def _raise_gone(space_ids: Iterable[str]) -> None:
    for space in Space.objects.filter(pk__in=[UUID(space_id) for space_id in space_ids], state=Space.State.DELETED):
        raise Gone(space, None)


def _sign(feed: Feed) -> str:
    space_ids = [str(feed.space_id)] if feed.space_id else []
    return signing.dumps([str(feed.pk), _state(feed.user), *space_ids], salt=SALT, compress=False)


def _state(user: User, secret: str | None = None) -> str:
    """A digest of what ends an address when it changes. `secret`: SECRET_KEY, or a former one."""
    value = f"{user.password} {user.session_generation}"
    return salted_hmac(SALT, value, secret=secret, algorithm="sha256").hexdigest()[:32]


def _is_state(state: str, user: User) -> bool:
    secrets = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    return any(constant_time_compare(state, _state(user, secret)) for secret in secrets)
