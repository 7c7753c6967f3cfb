"""Invitations: admins create them, invited people open their links."""

from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from archive import dbtime
from archive.accounts import invitations as domain
from archive.display.invitation_mail import invitation_url
from archive.errors import Refused
from archive.models import Invitation
from portal.access import is_admin, only
from portal.forms.accounts import INVITATION_DAYS, InvitationForm, RenewForm
from portal.http import SignedInRequest
from portal.paging import page_of
from portal.reauthentication import require_reauthentication
from portal.sign_in import invited

PAGE = 50
RENEWED_DAYS = 7


@login_not_required
@require_safe
def invitation(request: HttpRequest, token: str) -> HttpResponse:
    """Open the link from a mail: redirect to the form, whose URL contains no secret."""
    if request.user.is_authenticated:
        return render(request, "account/invitation_signed_in.html", status=409)
    if domain.find_valid(token) is None:
        return render(request, "account/invitation_over.html", status=404)
    invited.remember(request, token)
    return redirect("account_signup")


@require_http_methods(["GET", "HEAD", "POST"])
@only(is_admin)
@require_reauthentication
def invitations(request: SignedInRequest) -> HttpResponse:
    """List all invitations, the newest first. POST creates one, and shows its link if no mail is sent."""
    if request.method != "POST":
        return _page(request, InvitationForm(initial={"days": "7"}))
    form = InvitationForm(request.POST)
    try:
        if form.is_valid():
            asked = form.cleaned_data
            made, token = domain.invite(asked["email"], asked["role"], asked["days"], request.user, name=asked["name"])
            return _made(request, made, token)
    except Refused as error:
        form.add_error(None, str(error))
    form.show_problems(request)
    return _page(request, form, status=422)


@require_POST
@only(is_admin)
@require_reauthentication
def renew(request: SignedInRequest, invitation_id: UUID) -> HttpResponse:
    """Create a new link, mailed or shown; the old one ends."""
    form = RenewForm(request.POST)
    form.full_clean()
    try:
        made, token = domain.renew(
            invitation_id, RENEWED_DAYS, request.user, by_mail=bool(form.cleaned_data.get("by_mail"))
        )
    except Refused as error:
        messages.error(request, str(error))
        return redirect("invitations")
    return _made(request, made, token)


@require_POST
@only(is_admin)
@require_reauthentication
def revoke(request: SignedInRequest, invitation_id: UUID) -> HttpResponse:
    invitation = Invitation.objects.filter(pk=invitation_id).first()
    if invitation is not None and domain.revoke(invitation_id, request.user):
        text = _("The invitation of {email} was revoked. Its link does not work any more.")
        messages.success(request, text.format(email=invitation.email))
    return redirect("invitations")


def _made(request: SignedInRequest, made: Invitation, token: str) -> HttpResponse:
    if token:
        form = InvitationForm(initial={"days": "7"})
        return _page(request, form, made=made, link=invitation_url(token))
    messages.success(request, _("You invited {email}. The list says when the mail is sent.").format(email=made.email))
    return redirect("invitations")


def _page(request: SignedInRequest, form: InvitationForm, status: int = 200, **made: object) -> HttpResponse:
    now = dbtime.now()
    rows = Invitation.objects.select_related("invited_by", "accepted_by").prefetch_related("invited_by__groups")
    page, cursor = page_of(rows, request.GET.get("after"), ("created_at", "id"), PAGE, descending=True)
    context = {
        "rows": [{"invitation": row, "state": domain.link_state(row, now)} for row in page],
        "next_url": f"?after={cursor}" if cursor else None,
        "roles": Invitation.Role.choices,
        "lives": INVITATION_DAYS.items(),
        "mail_on": settings.MAIL_ON,
        "form": form,
        **made,
    }
    return render(request, "people/invitations.html", context, status=status)
