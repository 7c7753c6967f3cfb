"""The account page: settings that people change for themselves."""

import json

from allauth.account.models import EmailAddress
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from archive import feeds
from archive.accounts import closing, profile
from archive.accounts.export_person import export_person
from archive.errors import Refused
from portal.feed_links import calendar_url, webcal_url
from portal.forms.accounts import CloseForm, ProfileForm
from portal.http import SignedInRequest
from portal.presenters.mail_kinds import mail_label
from portal.reauthentication import require_reauthentication_to_read


@require_http_methods(["GET", "HEAD", "POST"])
def account(request: SignedInRequest) -> HttpResponse:
    """Show name, address, time zone, mail and security settings. POST saves name, time zone and mail settings."""
    if request.method != "POST":
        return _page(request, ProfileForm(initial=_current(request)))
    form = ProfileForm(request.POST)
    try:
        if form.is_valid():
            profile.update_profile(request.user, **form.cleaned_data)
            messages.success(request, _("Saved."))
            return redirect("account")
    except Refused as error:
        form.add_error(None, str(error))
    form.show_problems(request)
    return _page(request, form, status=422)


@require_safe
@require_reauthentication_to_read
def download(request: SignedInRequest) -> HttpResponse:
    """Serve all data about the user as JSON."""
    text = json.dumps(export_person(request.user), ensure_ascii=False, indent=2)
    headers = {"Content-Disposition": 'attachment; filename="my-data.json"'}
    return HttpResponse(text, content_type="application/json", headers=headers)


@require_http_methods(["GET", "HEAD", "POST"])
@require_reauthentication_to_read
def close(request: SignedInRequest) -> HttpResponse:
    """Close the user's own account, after they have typed its user name."""
    form = CloseForm(request.user, request.POST if request.method == "POST" else None)
    reason = ""
    try:
        closing.check_may_close(request.user)
        if request.method == "POST" and form.is_valid():
            closing.close_account(request.user.pk, request.user)
            logout(request)
            messages.success(request, _("Your account is closed. Your name and your address are erased."))
            return redirect("account_login")
    except Refused as error:
        reason = str(error)
    form.show_problems(request)
    status = 422 if request.method == "POST" else 200
    return render(request, "account/close.html", {"form": form, "reason": reason}, status=status)


def _current(request: SignedInRequest) -> dict[str, object]:
    user = request.user
    return {
        "display_name": user.get_full_name(),
        "time_zone": user.time_zone if user.time_zone_chosen else "",
        "weekly": user.digest_since is not None,
        "mailed_kinds": [kind for kind in profile.optional_mail(user) if kind not in user.unmailed_kinds],
    }


def _page(request: SignedInRequest, form: ProfileForm, status: int = 200) -> HttpResponse:
    verified = EmailAddress.objects.filter(user=request.user, email__iexact=request.user.email, verified=True)
    feed = feeds.calendar_of(request.user)
    context = {
        "form": form,
        "calendar_url": calendar_url(feed) if feed else "",
        "calendar_webcal_url": webcal_url(feed) if feed else "",
        "zones": profile.selectable_time_zones(),
        "kinds": [(kind, mail_label(kind)) for kind in profile.optional_mail(request.user)],
        "mail_on": settings.MAIL_ON,
        "verified": verified.exists(),
    }
    return render(request, "account/account.html", context, status=status)
