"""Check who may see a page, and what they see on it.

A host sees their own Spaces; admins and auditors see all of them (`visible_to` in archive/models/space_queries.py).
Hosts and admins may play and download, auditors may not. A speaker sees their own lines (`find_own_lines_space`), a
recorder what its token allows (`find_for_token`). Each view states its roles with `@only(...)`. Lookup and access check
are one step: a stranger gets 404 and learns nothing; after the deadline the answer is 410.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar
from uuid import UUID

from django.db.models import Exists, OuterRef, QuerySet
from django.http import Http404
from django.http.response import HttpResponseBase
from django.urls import reverse

from archive import dbtime
from archive.display.deadline_reasons import shorten_reason
from archive.models import DeletionCertificate, Participant, RecorderToken, Space, User
from archive.models.compiled_query import CompiledQuery
from archive.models.space_queries import is_served, sees_all
from archive.models.user import find_user
from archive.moderation.conflicts import find_own_space_conflict
from portal.http import SignedInRequest

P = ParamSpec("P")
R = TypeVar("R", bound=HttpResponseBase)
View = Callable[Concatenate[SignedInRequest, P], R]


class Gone(Exception):
    """The deadline of the Space has passed: 410, for everybody who could see it before."""

    def __init__(self, space: Space, user: User | None) -> None:
        """`user` is None for a recorder."""
        super().__init__(str(space.pk))
        reads_log = user is not None and may_read_log(user)
        log_url = reverse("log-space", args=[space.pk]) if reads_log else None
        may_have = reads_log or (user is not None and user.pk == space.host_id)
        certified = may_have and DeletionCertificate.objects.filter(pk=space.pk).exists()
        self.context: dict[str, Any] = {
            "deleted_at": space.deleted_at,
            "until": space.expires_at,
            "reasons": [shorten_reason(reason) for reason in space.stored_deadline().reasons] if may_have else [],
            "log_url": log_url,
            "certificate_page_url": reverse("certificate-page", args=[space.pk]) if certified else None,
        }


class LinkEnded(Exception):
    """A download link that has expired or was revoked: 410, with the advice to get a new one."""


@dataclass(frozen=True)
class VisibleSpace:
    """A Space that a user may see, the database's time, and what the user may do with the Space."""

    space: Space
    now: datetime
    may_play: bool
    may_flag: bool


def is_admin(user: User) -> bool:
    return user.is_admin


def may_change_accounts(user: User) -> bool:
    """Admins and superusers; the domain checks it again for each change."""
    return user.may_change_accounts


def may_read_log(user: User) -> bool:
    """Auditors, and admins."""
    return user.is_auditor or user.is_admin


def may_see_status(user: User) -> bool:
    """Whether the user is an operator: superusers, staff and admins are. The page has counts, settings, host names and
    ids of rows, but no names of Spaces, files or people."""
    return user.is_active and (user.is_superuser or user.is_staff or user.is_admin)


def may_have_content(user: User) -> bool:
    """Everybody but auditors: they check that the rules are followed, without seeing content."""
    return user.is_admin or not user.is_auditor


def only(is_allowed: Callable[[User], bool]) -> Callable[[View[P, R]], View[P, R]]:
    """Decorate a view with its role check: `@only(is_admin)`. Everybody else gets 404."""

    def decorate(view: View[P, R]) -> View[P, R]:
        @wraps(view)
        def checked(request: SignedInRequest, /, *args: P.args, **kwargs: P.kwargs) -> R:
            if not is_allowed(request.user):
                raise Http404
            return view(request, *args, **kwargs)

        return checked

    return decorate


def has_spoken(user: User) -> bool:
    """Whether `spaces_spoken_in` is not empty. Every page calls this."""
    return bool(_SPOKEN.tuples(user.pk))


def _spoken(user_id: int) -> QuerySet[Any, Any]:
    return Participant.objects.filter(is_served(prefix="space__"), user=user_id).values_list("pk")[:1]


_SPOKEN = CompiledQuery(_spoken, int)


def spaces_spoken_in(user: User) -> QuerySet[Space]:
    """Spaces in which the user spoke and whose content is served now."""
    linked = Participant.objects.filter(user=user, space=OuterRef("pk"))
    return Space.objects.served().filter(Exists(linked))


def find_space(user: User, space_id: UUID, *, content: bool = False) -> VisibleSpace:
    """Return the Space if `user` may see it; with `content`, only if they may also play and read it. Raises Http404 for
    strangers (with `content` also for auditors), Gone after the deadline."""
    space = _SPACE.first(space_id) if sees_all(user) else _SPACE_OF_HOST.first(space_id, user.pk)
    if space is None:
        raise Http404
    host = user if space.host_id == user.pk else find_user(space.host_id)
    assert host is not None  # no account with Spaces is deleted
    space.host = host
    may_play = space.host_id == user.pk or user.is_admin
    if content and not may_play:
        raise Http404
    now = dbtime.now()
    if space.is_gone(now):
        raise Gone(space, user)
    if content and not space.is_served(now):
        raise Http404
    may_flag = user.is_admin and find_own_space_conflict(space, user) is None
    return VisibleSpace(space, now, may_play, may_flag)


# `visible_to`, compiled.
_SPACE = CompiledQuery(lambda space_id: Space.objects.filter(pk=space_id), UUID)
_SPACE_OF_HOST = CompiledQuery(lambda space_id, host_id: Space.objects.of_host(host_id).filter(pk=space_id), UUID, int)


def find_space_to_change(user: User, space_id: UUID) -> Space:
    """Return the Space if `user` is its host or an admin. Raises Http404, Gone."""
    visible = find_space(user, space_id)
    if not visible.may_play:
        raise Http404
    return visible.space


def find_for_token(token: RecorderToken, space_id: UUID) -> Space:
    """Return the Space if a recorder's token may download its bundle. Raises Http404; Gone after the deadline."""
    spaces = find_spaces_for_token(token, [space_id])
    if not spaces:
        raise Http404
    return spaces[0]


def find_spaces_for_token(token: RecorderToken, space_ids: Iterable[Any]) -> list[Space]:
    """Return the Spaces if the token may download all of them. Raises Http404; Gone after the first deadline."""
    if RecorderToken.Scope.BUNDLES not in token.scopes:
        raise Http404
    hosts = set(token.hosts.values_list("pk", flat=True))
    spaces = list(Space.objects.filter(pk__in=space_ids).select_related("host"))
    if any(space.host_id not in hosts for space in spaces):
        raise Http404
    now = dbtime.now()
    for space in spaces:
        if space.is_gone(now):
            raise Gone(space, None)
        if not space.is_served(now):
            raise Http404
    return spaces


def find_own_lines_space(user: User, space_id: UUID) -> VisibleSpace:
    """Return the Space whose lines `user` spoke, to show these lines and nothing else. Raises Http404 for users who are
    not linked to one of its participants (also for admins, who have the whole transcript), Gone after the deadline."""
    space = Space.objects.filter(pk=space_id).first()
    linked = space is not None and space.participants.filter(user=user).exists()
    # Participants are deleted with the Space, but not the host: only the host gets 410 after that.
    if space is None or not (linked or space.host_id == user.pk):
        raise Http404
    now = dbtime.now()
    if space.is_gone(now):
        raise Gone(space, user)
    if not linked or not space.is_served(now):
        raise Http404
    return VisibleSpace(space, now, may_play=False, may_flag=False)


def find_space_to_edit(user: User, space_id: UUID) -> Space:
    """Return the Space if `user` is its host and its content is served. Admins may not change content: they get 404,
    like strangers. Raises Http404, Gone."""
    space = find_space(user, space_id, content=True).space
    if space.host_id != user.pk:
        raise Http404
    return space
