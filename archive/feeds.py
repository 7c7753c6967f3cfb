"""Private addresses for other programs: a calendar of a host's deadlines, and a podcast feed of one Space.

An address works without signing in for everyone who has it. So only the host can create it, its creation is logged, and
it ends with its row: revoked by hand, or deleted with the Space or the account. The site signs it
(portal/feed_links.py).
"""

from uuid import UUID

from django.db import transaction

from archive import log
from archive.errors import Refused
from archive.log import Actor, events
from archive.models import Feed, Space, User
from archive.models.compiled_query import CompiledQuery


def calendar_of(user: User) -> Feed | None:
    """Return the user's calendar feed, if there is one."""
    return Feed.objects.filter(user=user, kind=Feed.Kind.CALENDAR).first()


def podcast_of(user: User, space: Space) -> Feed | None:
    """Return the user's podcast feed of the Space, if there is one."""
    return _PODCAST.first(user.pk, space.pk)


_PODCAST = CompiledQuery(
    lambda user_id, space_id: Feed.objects.filter(user=user_id, kind=Feed.Kind.PODCAST, space=space_id)[:1], int, UUID
)


def create_calendar(user: User) -> Feed:
    """Return the user's calendar feed, and create it if necessary. Idempotent."""
    return _create(user, Feed.Kind.CALENDAR, None)


def create_podcast(user: User, space: Space) -> Feed:
    """Return the podcast feed of a Space for its host, and create it if necessary. Idempotent. Raises Refused for other
    users, and when the content of the Space is not served (any more)."""
    if space.host_id != user.pk:
        raise Refused("feed.not_the_host")
    if not Space.objects.served().filter(pk=space.pk).exists():
        raise Refused("feed.not_served")
    return _create(user, Feed.Kind.PODCAST, space)


def revoke(feed: Feed, by: User) -> bool:
    """Delete the feed; one that is created later has another address. Returns False if it was deleted already."""
    return _revoke(feed, Actor.of(by))


def revoke_all_of(account: User, actor: Actor) -> None:
    """Delete the feeds of an account that is being closed. Call it in a transaction."""
    for feed in Feed.objects.filter(user=account).order_by("pk"):
        _revoke(feed, actor)


def _revoke(feed: Feed, actor: Actor) -> bool:
    with transaction.atomic():
        count, _rows = Feed.objects.filter(pk=feed.pk).delete()
        if count:
            log.record(events.FEED_REVOKED, space_id=feed.space_id, actor=actor, feed=str(feed.pk), kind=feed.kind)
    return bool(count)


def _create(user: User, kind: Feed.Kind, space: Space | None) -> Feed:
    with transaction.atomic():
        feed, is_new = Feed.objects.get_or_create(user=user, kind=kind, space=space)
        if is_new:
            space_id = space.pk if space else None
            log.record(events.FEED_CREATED, space_id=space_id, actor=Actor.of(user), feed=str(feed.pk), kind=kind.value)
    return feed
