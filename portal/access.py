"""Who may see what. Looking a Space up and checking access are one step; a stranger gets 404, and so learns nothing."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, QuerySet
from django.http import Http404, HttpRequest
from django.urls import reverse

from archive import dbtime
from archive.models import DeletionCertificate, Participant, RecorderToken, Space, User
from archive.search import served


class Gone(Exception):
    """The Space's deadline has passed: 410, for everybody who could see it before."""

    def __init__(self, space: Space, user: User | None) -> None:
        """`user`: who asked; None for a recorder."""
        super().__init__(str(space.pk))
        reads_log = user is not None and (user.is_admin or user.is_auditor)
        log_url = reverse("log-space", args=[space.pk]) if reads_log else None
        may_have = reads_log or (user is not None and user.pk == space.host_id)
        proven = may_have and DeletionCertificate.objects.filter(pk=space.pk).exists()
        self.context: dict[str, Any] = {
            "deleted_at": space.deleted_at,
            "until": space.expires_at,
            "log_url": log_url,
            "certificate_url": reverse("certificate", args=[space.pk]) if proven else None,
        }


@dataclass(frozen=True)
class VisibleSpace:
    """A Space that this user may see, the database's time, and what they may do with it."""

    space: Space
    now: datetime
    may_play: bool
    may_flag: bool


def current_user(request: HttpRequest) -> User:
    """The one who is signed in (views ask for that before)."""
    assert isinstance(request.user, User)
    return request.user


def visible(user: User) -> QuerySet[Space]:
    """Hosts see their own Spaces; admins and auditors see all of them."""
    if user.is_admin or user.is_auditor:
        return Space.objects.all()
    return Space.objects.filter(host=user)


def readable(user: User) -> QuerySet[Space]:
    """Those whose content this user may read: hosts their own, admins all."""
    return Space.objects.all() if user.is_admin else Space.objects.filter(host=user)


def spaces_spoken_in(user: User) -> QuerySet[Space]:
    """Those in which this user spoke and whose content is served now."""
    linked = Participant.objects.filter(user=user, space=OuterRef("pk"))
    return Space.objects.filter(served(), Exists(linked))


def find_space(user: User, space_id: UUID, *, content: bool = False) -> VisibleSpace:
    """The Space, if `user` may see it; with `content`, if they may hear and read it. Raises Http404 for strangers
    (and for auditors who want content), Gone from the deadline on."""
    space = visible(user).select_related("host").filter(pk=space_id).first()
    if space is None:
        raise Http404
    may_play = space.host_id == user.pk or user.is_admin
    if content and not may_play:
        raise Http404
    now = dbtime.now()
    if space.is_gone(now):
        raise Gone(space, user)
    if content and not space.is_served(now):
        raise Http404
    return VisibleSpace(space, now, may_play, user.is_admin)


def find_for_token(token: RecorderToken, space_id: UUID) -> Space:
    """The Space, if a machine with this token may have its bundle. Raises Http404, Gone from the deadline on."""
    space = None
    if RecorderToken.Scope.BUNDLES in token.scopes:
        space = Space.objects.filter(pk=space_id, host__in=token.hosts.all()).select_related("host").first()
    if space is None:
        raise Http404
    now = dbtime.now()
    if space.is_gone(now):
        raise Gone(space, None)
    if not space.is_served(now):
        raise Http404
    return space


def find_own_lines_space(user: User, space_id: UUID) -> VisibleSpace:
    """The Space, for the words that `user` said in it and nothing else. Raises Http404 for whoever is not linked to a
    participant of it (admins too: they have the transcript), Gone from the deadline on."""
    space = Space.objects.filter(pk=space_id).first()
    linked = space is not None and space.participants.filter(user=user).exists()
    if space is None or not (linked or space.host_id == user.pk):  # who spoke is forgotten with the Space, its host not
        raise Http404
    now = dbtime.now()
    if space.is_gone(now):
        raise Gone(space, user)
    if not linked or not space.is_served(now):
        raise Http404
    return VisibleSpace(space, now, may_play=False, may_flag=False)
