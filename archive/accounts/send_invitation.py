"""Send an invitation by e-mail. As with notices, a worker that dies after the delivery sends it again, with the same
link and Message-ID."""

import uuid

from django.db.models import Q
from django.db.models.functions import Now

from archive import leases, lifecycle
from archive.accounts import invitations
from archive.display.invitation_mail import render_invitation
from archive.errors import MailRefused, SpacekeepError, make_problem
from archive.leases import Claim
from archive.log import SYSTEM
from archive.models import Invitation
from archive.notices import smtp
from archive.notices.deliver import MAX_ATTEMPTS

State = Invitation.State
UNEXPIRED = Q(expires_at__gt=Now())


def send_invitation(invitation_id: uuid.UUID) -> bool:
    """Send the invitation, if it is pending and valid. Returns True when this call sent it."""
    claim = leases.claim(Invitation, invitation_id, [State.PENDING], condition=UNEXPIRED)
    return leases.attempt(claim, _send, permanent=(MailRefused,), fail=_fail, max_attempts=MAX_ATTEMPTS)


def _send(claim: Claim[Invitation]) -> bool:
    with smtp.connect() as server:
        claim.renew()
        invitation = invitations.valid().filter(pk=claim.row.pk).first()
        if invitation is None:
            return _end(claim, State.FAILED, problem=make_problem("invitation.inviter_not_admin"))
        message = render_invitation(invitation, invitations.token_to_send(invitation, claim))
        smtp.send_message(server, message, invitation.email, uuid.uuid5(invitation.pk, str(invitation.issue)))
        return _end(claim, State.OPEN, problem={})


def _fail(claim: Claim[Invitation], error: SpacekeepError) -> None:
    _end(claim, State.FAILED, problem=error.problem)


def _end(claim: Claim[Invitation], state: State, **changes: object) -> bool:
    detail = {"by_mail": True}
    return lifecycle.transition(
        claim.row, State.PENDING, state, actor=SYSTEM, condition=claim.still_held, detail=detail,
        **{**leases.RESET, **changes},
    )  # fmt: skip
