"""Invitations: the only way to an account on the site.

The token of a link is an HMAC of the row's id and issue under the site's secret key, and the row has its SHA-256. So a
worker that dies after handing a mail over sends the same link again, and the database alone gives no link away. A new
link ends the one before it. Links of a former secret key are valid while it is in SECRET_KEY_FALLBACKS, and no longer:
with a stolen key, a thief can compute the token of any invitation.

A link goes out by mail, or, where no mail is sent, is shown once to the admin. Only a mailed link verifies the address:
opening it proves that the mail was read. It works while the admin who invited is active and an admin, like a token.
"""

import hashlib
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, connection, models, transaction
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Now
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _

from archive import leases, lifecycle, log, names, wakeups
from archive.accounts.roles import grant_role
from archive.encryption import secret_keys
from archive.errors import Conflict, Refused, violated_constraint
from archive.leases import Claim
from archive.log import Actor, events
from archive.models import Invitation, User
from archive.models.user import ADMINS, AUDITORS

State = Invitation.State
GROUPS = {Invitation.Role.ADMIN: ADMINS, Invitation.Role.AUDITOR: AUDITORS}
MAX_DAYS = 30
ENDED_KEPT = timedelta(days=30)  # revoked and expired ones are deleted after this time, with their addresses
AT_ONCE = 1000


class LinkState(models.TextChoices):
    """What an invitation is waiting for, or how it ended."""

    PENDING = "pending", _("to be sent")
    SENT = "sent", _("sent")
    SHOWN = "shown", _("link shown")
    FAILED = "failed", _("could not be sent")
    EXPIRED = "expired", _("expired")
    INVITER_NOT_ADMIN = "inviter-not-admin", _("its inviter is no longer an admin")
    KEY_REPLACED = "key-replaced", _("its link ended with the site's former secret key")
    ACCEPTED = "accepted", _("accepted")
    REVOKED = "revoked", _("revoked")


def invite(email: str, role: str, days: int, by: User, *, name: str = "") -> tuple[Invitation, str]:
    """Invite `email`, for `days`. `name`: whose address it is, for admins and as a proposal when signing up.

    Returns the invitation, and its token where no mail is sent ("" elsewhere): the only time that anybody sees it.
    Raises Refused, Conflict.
    """
    email, name = clean_address(email), names.clean_display_name(name)
    _check(by, days)
    if role not in Invitation.Role.values:
        raise Refused("invitation.no_such_role")
    if User.objects.filter(email__iexact=email).exists():
        raise Conflict("invitation.has_account")
    sender = {"invited_by": by, "by_mail": settings.MAIL_ON, "state": _first_state()}
    invitation = Invitation(email=email, name=name, role=role, **sender)
    token = make_token(invitation)
    invitation.token_sha256 = _sha256(token)
    try:
        with transaction.atomic():
            invitation.expires_at = Now() + timedelta(days=days)
            invitation.save(force_insert=True)
            detail = {"role": role, "by_mail": invitation.by_mail}
            log.record(events.INVITATION_CREATED, space_id=None, actor=Actor.of(by), **invitation.log_subject, **detail)
            _wake(invitation)
    except IntegrityError as error:
        if violated_constraint(error) == "invitation_one_waiting":
            raise Conflict("invitation.exists") from error
        raise
    invitation.refresh_from_db()
    return invitation, "" if invitation.by_mail else token


def renew(invitation_id: UUID, days: int, by: User, *, by_mail: bool | None = None) -> tuple[Invitation, str]:
    """Replace the link by a new one, which is valid for `days`: by mail, or, with `by_mail` False or where no mail is
    sent, as the token that is returned. Raises Refused, Conflict."""
    _check(by, days)
    mailed = settings.MAIL_ON if by_mail is None else by_mail and settings.MAIL_ON
    with transaction.atomic():
        invitation = Invitation.objects.select_for_update().filter(pk=invitation_id).first()
        if invitation is None or invitation.state not in Invitation.WAITING:
            raise Conflict("invitation.over")
        invitation.issue += 1
        token = make_token(invitation)
        # The new link is the new inviter's: an admin who lost the role has no links that work.
        lifecycle.transition(
            invitation,
            State(invitation.state),
            State.PENDING if mailed else State.OPEN,
            actor=Actor.of(by),
            detail={"by_mail": mailed},
            issue=invitation.issue,
            fence=F("fence") + 1,  # a worker that is sending the old link writes nothing more
            token_sha256=_sha256(token),
            by_mail=mailed,
            invited_by=by,
            expires_at=Now() + timedelta(days=days),
            problem={},
            **leases.RESET,
        )
        _wake(invitation)
    invitation.refresh_from_db()
    return invitation, "" if mailed else token


def revoke(invitation_id: UUID, by: User) -> bool:
    """End an invitation: its link is refused from now on. Returns False when it was over before. Raises Refused."""
    check_admin(by)
    with transaction.atomic():
        invitation = Invitation.objects.select_for_update().filter(pk=invitation_id).first()
        if invitation is None or invitation.state not in Invitation.WAITING:
            return False
        return lifecycle.transition(
            invitation,
            State(invitation.state),
            State.REVOKED,
            actor=Actor.of(by),
            ended_at=Now(),
            problem={},
            **leases.RESET,
        )


def find_valid(token: str) -> Invitation | None:
    """The invitation that a link leads to, if it can be accepted now."""
    invitation = valid().filter(token_sha256=_sha256(token)).first()
    return invitation if invitation and find_token(invitation) == token else None


def valid() -> QuerySet[Invitation]:
    """Invitations that can be accepted now. One that a worker is sending counts: its mail may have been read before
    the worker could write so."""
    return Invitation.objects.filter(
        Q(state=State.OPEN) | Q(state=State.PENDING, by_mail=True),
        expires_at__gt=Now(),
        invited_by__is_active=True,
        invited_by__groups__name=ADMINS,
    )


def lock_valid(token: str) -> Invitation:
    """The invitation, locked until the transaction ends, so that one of several acceptances wins. Raises Refused when
    it can't be accepted, RuntimeError outside a transaction."""
    invitation = _lock(Q(token_sha256=_sha256(token)))
    if find_token(invitation) != token:
        raise Refused("invitation.not_valid")
    return invitation


def lock_for_address(invitation_id: UUID) -> Invitation:
    """Lock the invitation of a person whose address was verified without its link: by a provider."""
    return _lock(Q(pk=invitation_id))


def _lock(which: Q) -> Invitation:
    if not connection.in_atomic_block:
        raise RuntimeError("an invitation is accepted in the transaction that creates the account")
    invitation = valid().select_for_update(of=("self",)).filter(which).first()
    if invitation is None:
        raise Refused("invitation.not_valid")
    return invitation


def accept(invitation: Invitation, user: User) -> None:
    """Give the role of a locked invitation to `user`, whose account this transaction created. A role counts from now
    on, not from the time of the invitation. Raises Refused, also for names that can be mistaken for others."""
    check_names(user)
    inviter = invitation.invited_by
    moved = lifecycle.transition(
        invitation,
        State(invitation.state),
        State.ACCEPTED,
        actor=Actor.of(user),
        detail={"user": user.pk, "role": invitation.role},
        accepted_by=user,
        ended_at=Now(),
        email="",
        name="",
        problem={},
        **leases.RESET,
    )
    if not moved or inviter is None:
        raise Refused("invitation.not_valid")
    if group := GROUPS.get(Invitation.Role(invitation.role)):
        grant_role(user.pk, group, inviter)


def link_state(invitation: Invitation, now: datetime) -> LinkState:
    """The state of an invitation at `now`, for people. Reads `invited_by` and its groups."""
    if invitation.state not in Invitation.WAITING:
        return LinkState(invitation.state)
    if invitation.expires_at <= now:
        return LinkState.EXPIRED
    inviter = invitation.invited_by
    if inviter is None or not inviter.is_active or ADMINS not in {group.name for group in inviter.groups.all()}:
        return LinkState.INVITER_NOT_ADMIN
    if invitation.state == State.OPEN:
        if find_token(invitation) is None:
            return LinkState.KEY_REPLACED
        return LinkState.SENT if invitation.by_mail else LinkState.SHOWN
    return LinkState(invitation.state)


def make_token(invitation: Invitation, secret: str | None = None) -> str:
    """The token of a new link: 256 bits, which only this site's secret key gives. `secret`: a former one."""
    value = f"{invitation.pk}:{invitation.issue}"
    return salted_hmac("archive.invitation", value, secret=secret, algorithm="sha256").hexdigest()


def find_token(invitation: Invitation) -> str | None:
    """The token of its valid link; None if the secret key that made it is neither the site's nor a former one."""
    tokens = (make_token(invitation, secret) for secret in secret_keys())
    return next((token for token in tokens if _sha256(token) == invitation.token_sha256), None)


def token_to_send(invitation: Invitation, claim: Claim[Invitation]) -> str:
    """The token for its mail. If the secret key was replaced meanwhile, that of a new link. Raises LeaseLost."""
    token = find_token(invitation)
    if token is None:
        token = make_token(invitation)
        claim.renew(token_sha256=_sha256(token))
    return token


def delete_old() -> int:
    """Delete invitations that were revoked or expired long ago, with their addresses. Returns how many."""
    expired = Q(state__in=Invitation.WAITING, expires_at__lt=Now() - ENDED_KEPT)
    old = Invitation.objects.filter(expired | Q(state=State.REVOKED, ended_at__lt=Now() - ENDED_KEPT))
    return Invitation.objects.filter(pk__in=list(old.values_list("pk", flat=True)[:AT_ONCE])).delete()[0]


def clean_address(email: str) -> str:
    """The address without blanks around it. Raises Refused."""
    email = email.replace("\x00", "").strip()
    try:
        validate_email(email)
    except ValidationError as error:
        raise Refused("invitation.bad_address") from error
    if len(email) > 254:
        raise Refused("invitation.bad_address")
    return email


def check_names(user: User) -> None:
    """Raise Refused for an account whose names can be mistaken for others."""
    names.clean_username(user.username)
    names.clean_display_name(user.first_name)
    names.clean_display_name(user.last_name)


def check_admin(by: User) -> None:
    """Raise Refused unless `by` is an active admin."""
    if not by.is_active or not by.is_admin:
        raise Refused("account.not_an_admin", user=by.username)


def _first_state() -> State:
    return State.PENDING if settings.MAIL_ON else State.OPEN


def _wake(invitation: Invitation) -> None:
    if invitation.state == State.PENDING:
        wakeups.wake(Invitation, invitation.pk)


def _check(by: User, days: int) -> None:
    check_admin(by)
    if not 1 <= days <= MAX_DAYS:
        raise Refused("invitation.bad_days", limit=MAX_DAYS)


def _sha256(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()
