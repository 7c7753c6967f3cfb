"""Private addresses for other programs: a calendar of a host's deadlines, and one Space as a podcast feed.

An address works without signing in, for everybody who has it. So it is created by the host only, logged, and ends with
its row: revoked by hand, with the Space, or with the account. The site signs it (portal/feed_links.py).
"""

from uuid import UUID

from django.db import transaction

from archive import log
from archive.errors import Refused
from archive.log import Actor, events
from archive.models import Feed, Space, User
from archive.models.compiled_query import CompiledQuery


def calendar_of(user: User) -> Feed | None:
    """The user's calendar feed, if there is one."""
    return Feed.objects.filter(user=user, kind=Feed.Kind.CALENDAR).first()


def podcast_of(user: User, space: Space) -> Feed | None:
    """The user's podcast feed of the Space, if there is one."""
    return _PODCAST.first(user.pk, space.pk)


_PODCAST = CompiledQuery(
    lambda user_id, space_id: Feed.objects.filter(user=user_id, kind=Feed.Kind.PODCAST, space=space_id)[:1], int, UUID
)


def create_calendar(user: User) -> Feed:
    """The user's calendar feed. Idempotent."""
    return _create(user, Feed.Kind.CALENDAR, None)


def create_podcast(user: User, space: Space) -> Feed:
    """The podcast feed of a Space, for its host. Idempotent. Raises Refused for everybody else, and when its content is
    not served (any more)."""
    if space.host_id != user.pk:
        raise Refused("feed.not_the_host")
    if not Space.objects.served().filter(pk=space.pk).exists():
        raise Refused("feed.not_served")
    return _create(user, Feed.Kind.PODCAST, space)


def revoke(feed: Feed, by: User) -> bool:
    """End the address for good; a feed that is created later has another one. False if it was revoked already."""
    with transaction.atomic():
        count, _rows = Feed.objects.filter(pk=feed.pk).delete()
        if count:
            log.record(
                events.FEED_REVOKED, space_id=feed.space_id, actor=Actor.of(by), feed=str(feed.pk), kind=feed.kind
            )
    return bool(count)


def _create(user: User, kind: Feed.Kind, space: Space | None) -> Feed:
    with transaction.atomic():
        feed, is_new = Feed.objects.get_or_create(user=user, kind=kind, space=space)
        if is_new:
            space_id = space.pk if space else None
            log.record(events.FEED_CREATED, space_id=space_id, actor=Actor.of(user), feed=str(feed.pk), kind=kind.value)
    return feed
