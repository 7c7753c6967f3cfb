"""API tokens of recorders: machines that upload recordings.

A token is `skr_`, twelve hex digits to look it up, and 256 random bits. It is shown once; the database stores its
SHA-256. A slow password hash would add nothing, because 256 random bits can't be guessed.

A token works only while the admin who created it is active and an admin. It acts for the hosts chosen at its creation,
or, if that was chosen, for everybody. If all chosen hosts are deleted or inactive, it can do nothing.
"""

import hashlib
import hmac
import re
import secrets
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.db import models, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from archive import dbtime, log
from archive.errors import Refused
from archive.log import Actor, events
from archive.models import IdempotencyKey, RecorderToken, User
from archive.models.user import ADMINS

FORM = re.compile(r"(skr_[0-9a-f]{12})_[A-Za-z0-9_-]{43}")
LONGEST_DAYS = 366
USED_EVERY = timedelta(minutes=1)  # update `last_used_at` at most this often

KEYS_KEPT = timedelta(days=1)
KEYS_AT_ONCE = 10_000


class TokenState(models.TextChoices):
    """Whether a token works, or why not."""

    WORKS = "works", _("active")
    REVOKED = "revoked", _("revoked")
    EXPIRED = "expired", _("expired")
    CREATOR_NOT_ADMIN = "creator-not-admin", _("its creator is no longer an admin")
    NO_HOSTS = "no-hosts", _("none of its hosts is active")


def create_token(
    name: str,
    days: int,
    by: User,
    hosts: Iterable[User] = (),
    scopes: Sequence[str] = (RecorderToken.Scope.INTAKE,),
    *,
    for_anybody: bool = False,
) -> tuple[RecorderToken, str]:
    """Create a token that expires in `days`, for the Spaces of `hosts` or, to upload only, `for_anybody`. Returns it
    with its text, which is shown only this once. Raises Refused."""
    hosts = list(hosts)
    name = name.replace("\x00", "").strip()
    if not by.is_admin:
        raise Refused("recorder.not_an_admin")
    if not 0 < len(name) <= 100:
        raise Refused("recorder.bad_name")
    if not 1 <= days <= LONGEST_DAYS:
        raise Refused("recorder.bad_days", limit=LONGEST_DAYS)
    if not scopes or set(scopes) - set(RecorderToken.Scope.values):
        raise Refused("recorder.no_scope")
    if for_anybody and RecorderToken.Scope.BUNDLES in scopes:
        raise Refused("recorder.downloads_for_anybody")
    if for_anybody and hosts:
        raise Refused("recorder.hosts_and_anybody")
    if not for_anybody and not hosts:
        raise Refused("recorder.hosts_missing")
    prefix = f"skr_{secrets.token_hex(6)}"
    text = f"{prefix}_{secrets.token_urlsafe(32)}"
    with transaction.atomic():
        token = RecorderToken.objects.create(
            name=name,
            prefix=prefix,
            secret_sha256=_sha256(text),
            scopes=sorted(set(scopes)),
            for_anybody=for_anybody,
            created_by=by,
            expires_at=dbtime.now() + timedelta(days=days),
        )
        token.hosts.set(hosts)
        _record(
            events.TOKEN_CREATED,
            token,
            Actor.of(by),
            expires_at=log.rfc3339(token.expires_at),
            scopes=token.scopes,
            hosts=[host.pk for host in hosts],
            for_anybody=for_anybody,
        )
    return token, text


def revoke(token_id: UUID, by: User) -> bool:
    """Revoke the token. Returns False when it was revoked before. Raises Refused."""
    if not by.is_admin:
        raise Refused("recorder.not_an_admin_to_revoke")
    with transaction.atomic():
        token = RecorderToken.objects.select_for_update().filter(pk=token_id, revoked_at=None).first()
        if token is None:
            return False
        _revoke(token, Actor.of(by))
    return True


def revoke_all_of(account: User, actor: Actor) -> None:
    """Revoke the tokens that an account has created, because it is being closed. Call it in a transaction."""
    for token in RecorderToken.objects.select_for_update().filter(created_by=account, revoked_at=None).order_by("pk"):
        _revoke(token, actor)


def _revoke(token: RecorderToken, actor: Actor) -> None:
    RecorderToken.objects.filter(pk=token.pk).update(revoked_at=Now())
    _record(events.TOKEN_REVOKED, token, actor)


def authenticate(text: str) -> RecorderToken | None:
    """Return the token with this text, if it works now, and note its use. The caller must check its `scopes`."""
    form = FORM.fullmatch(text)
    if form is None:
        return None
    token = working().filter(prefix=form[1]).first()
    if token is None or not hmac.compare_digest(token.secret_sha256, _sha256(text)):
        return None
    unused = Q(last_used_at=None) | Q(last_used_at__lt=Now() - USED_EVERY)
    RecorderToken.objects.filter(unused, pk=token.pk).update(last_used_at=Now())
    return token


def working() -> QuerySet[RecorderToken]:
    """Return the tokens that work now."""
    named = RecorderToken.hosts.through._default_manager
    active_hosts = named.filter(recordertoken=OuterRef("pk"), user__is_active=True)
    return RecorderToken.objects.filter(
        Q(for_anybody=True) | Exists(active_hosts),
        revoked_at=None,
        expires_at__gt=Now(),
        created_by__is_active=True,
        created_by__groups__name=ADMINS,
    )


def find_working(prefix: str) -> RecorderToken | None:
    """Return the token with this public prefix (`skr_...`), if it works now and may upload. For recorders that don't
    send their token: LiveKit, and inboxes."""
    tokens = working().filter(prefix=prefix, scopes__contains=[RecorderToken.Scope.INTAKE])
    return tokens.first()


def find_host(token: RecorderToken, name: str | None) -> User:
    """Return the user `name`, if the token may upload their Spaces. Without a name: the token's host, if it has exactly
    one. Raises Refused."""
    hosts = list(token.hosts.all()[:2]) if name is None else []
    if name is None and len(hosts) != 1:
        raise Refused("intake.host_missing")
    allowed = User.objects.all() if token.for_anybody else token.hosts.all()
    wanted = hosts[0].username if name is None else name
    host = allowed.filter(username=wanted, is_active=True).first()
    if host is None:
        raise Refused("intake.no_such_host", name=wanted)
    return host


def delete_old_keys() -> int:
    """Delete the idempotency keys of requests that are older than a day. Returns how many."""
    old = IdempotencyKey.objects.filter(created_at__lt=Now() - KEYS_KEPT)
    return IdempotencyKey.objects.filter(pk__in=list(old.values_list("pk", flat=True)[:KEYS_AT_ONCE])).delete()[0]


def state(token: RecorderToken, now: datetime) -> TokenState:
    if token.revoked_at is not None:
        return TokenState.REVOKED
    if token.expires_at <= now:
        return TokenState.EXPIRED
    maker = token.created_by
    if maker is None or not maker.is_active or ADMINS not in {group.name for group in maker.groups.all()}:
        return TokenState.CREATOR_NOT_ADMIN
    if not token.for_anybody and not any(host.is_active for host in token.hosts.all()):
        return TokenState.NO_HOSTS
    return TokenState.WORKS


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _record(event: str, token: RecorderToken, actor: Actor, **detail: object) -> None:
    log.record(event, space_id=None, actor=actor, recorder=str(token.pk), **detail)
