"""End one of the user's own sessions. allauth has the page that lists them and ends all others."""

from allauth.usersessions.adapter import get_adapter
from allauth.usersessions.models import UserSession
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from portal.http import SignedInRequest


@require_POST
def end(request: SignedInRequest, session_id: int) -> HttpResponse:
    """Sign another device out. For the current session there is the sign-out button."""
    session = UserSession.objects.filter(pk=session_id, user=request.user).first()
    if session is None or session.is_current():
        raise Http404
    get_adapter().end_sessions([session])
    messages.success(request, _("That device is signed out."))
    return redirect("usersessions_list")
