"""Invitations: the only way to an account on the site.

The token of a link is an HMAC of the row's id and issue under the site's secret key; the row has its SHA-256. So a
worker that dies after a delivery sends the same link again, and the database alone reveals no link. A new link ends the
one before it. Links made with a former secret key are valid only while it is in SECRET_KEY_FALLBACKS: with a stolen
key, a thief can compute the token of any invitation.

A link is mailed, or, if mail is off, shown once to the admin. Only a mailed link verifies the address: opening it
proves that the mail was read. A link works while the admin who invited is active and an admin, like a recorder's token.
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
ENDED_KEPT = timedelta(days=30)  # revoked and expired invitations are deleted after this time, with their addresses
AT_ONCE = 1000


class LinkState(models.TextChoices):
    """What an invitation is waiting for, or how it ended."""

    PENDING = "pending", _("to be sent")
    SENT = "sent", _("sent")
    SHOWN = "shown", _("link shown")
    FAILED = "failed", _("could not be sent")
    EXPIRED = "expired", _("expired")
    INVITER_NOT_ADMIN = "inviter-not-admin", _("its inviter is no longer an admin")
    KEY_REPLACED = "key-replaced", _("its link became invalid when the site's secret key was replaced")
    ACCEPTED = "accepted", _("accepted")
    REVOKED = "revoked", _("revoked")


def invite(email: str, role: str, days: int, by: User, *, name: str = "") -> tuple[Invitation, str]:
    """Invite `email`, for `days`. `name`: of the person, for admins and as a proposal when signing up.

    Returns the invitation, and its token if mail is off (otherwise ""): it is shown only this once.
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
    """Replace the link by a new one, which is valid for `days`. Mail it, or, with `by_mail` False or if mail is off,
    return its token (otherwise ""). Raises Refused, Conflict."""
    _check(by, days)
    mailed = settings.MAIL_ON if by_mail is None else by_mail and settings.MAIL_ON
    with transaction.atomic():
        invitation = Invitation.objects.select_for_update().filter(pk=invitation_id).first()
        if invitation is None or invitation.state not in Invitation.WAITING:
            raise Conflict("invitation.over")
        invitation.issue += 1
        token = make_token(invitation)
        # The new link depends on the new inviter: links of an admin who lost the role don't work.
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
    """Revoke an invitation, whose link is then refused. Returns False when it had ended before. Raises Refused."""
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
    """Return the invitation of a link, if it can be accepted now."""
    invitation = valid().filter(token_sha256=_sha256(token)).first()
    return invitation if invitation and find_token(invitation) == token else None


def valid() -> QuerySet[Invitation]:
    """Return invitations that can be accepted now, including one that a worker is sending: its mail may be read before
    the worker records that it was sent."""
    return Invitation.objects.filter(
        Q(state=State.OPEN) | Q(state=State.PENDING, by_mail=True),
        expires_at__gt=Now(),
        invited_by__is_active=True,
        invited_by__groups__name=ADMINS,
    )


def lock_valid(token: str) -> Invitation:
    """Lock and return the invitation, so that one of several acceptances wins. Raises Refused when it can't be
    accepted, RuntimeError outside a transaction."""
    invitation = _lock(Q(token_sha256=_sha256(token)))
    if find_token(invitation) != token:
        raise Refused("invitation.not_valid")
    return invitation


def lock_for_address(invitation_id: UUID) -> Invitation:
    """Lock and return the invitation of a person whose address was verified by a provider instead of the link."""
    return _lock(Q(pk=invitation_id))


def _lock(which: Q) -> Invitation:
    if not connection.in_atomic_block:
        raise RuntimeError("an invitation is accepted in the transaction that creates the account")
    invitation = valid().select_for_update(of=("self",)).filter(which).first()
    if invitation is None:
        raise Refused("invitation.not_valid")
    return invitation


def accept(invitation: Invitation, user: User) -> None:
    """Give the role of a locked invitation to `user`, whose account this transaction created. The role starts now, not
    at the time of the invitation. Raises Refused, also for names that can be mistaken for others."""
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
    """Return the state of an invitation at `now`, for people. Reads `invited_by` and its groups."""
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
    """Return the token of a new link: 256 bits that only this site's secret key gives. `secret`: a former one."""
    value = f"{invitation.pk}:{invitation.issue}"
    return salted_hmac("archive.invitation", value, secret=secret, algorithm="sha256").hexdigest()


def find_token(invitation: Invitation) -> str | None:
    """Return the token of the valid link; None if it was made with a key that the site no longer knows."""
    tokens = (make_token(invitation, secret) for secret in secret_keys())
    return next((token for token in tokens if _sha256(token) == invitation.token_sha256), None)


def token_to_send(invitation: Invitation, claim: Claim[Invitation]) -> str:
    """Return the token for the mail; of a new link, if the secret key was replaced. Raises LeaseLost."""
    token = find_token(invitation)
    if token is None:
        token = make_token(invitation)
        claim.renew(token_sha256=_sha256(token))
    return token


def delete_old() -> int:
    """Delete invitations that were revoked or expired ENDED_KEPT ago, with their addresses. Returns how many."""
    expired = Q(state__in=Invitation.WAITING, expires_at__lt=Now() - ENDED_KEPT)
    old = Invitation.objects.filter(expired | Q(state=State.REVOKED, ended_at__lt=Now() - ENDED_KEPT))
    return Invitation.objects.filter(pk__in=list(old.values_list("pk", flat=True)[:AT_ONCE])).delete()[0]


def clean_address(email: str) -> str:
    """Return the address without blanks around it. Raises Refused."""
    email = email.replace("\x00", "").strip()
    try:
        validate_email(email)
    except ValidationError as error:
        raise Refused("invitation.bad_address") from error
    if len(email) > 254:
        raise Refused("invitation.bad_address")
    return email


def check_names(user: User) -> None:
    """Raise Refused if the account's names can be mistaken for others."""
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
