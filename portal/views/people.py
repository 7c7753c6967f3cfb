"""Accounts, for admins and superusers: find, grant roles, deactivate, end sessions, close."""

from urllib.parse import urlencode

from allauth.account.adapter import get_adapter
from allauth.account.app_settings import PASSWORD_RESET_TOKEN_GENERATOR
from allauth.account.utils import user_pk_to_url_str
from django.contrib import messages
from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from archive.accounts import changes, closing, roles, sessions
from archive.errors import Refused
from archive.models import Space, User
from archive.models.user import ADMINS, AUDITORS
from portal import search_words
from portal.access import may_change_accounts, only
from portal.forms.accounts import CloseForm, PeopleFilterForm, RolesForm
from portal.http import SignedInRequest
from portal.paging import page_of
from portal.reauthentication import require_reauthentication
from portal.sign_in import sessions as listed_sessions

PAGE = 50
ORDER = ("date_joined", "id")


@require_http_methods(["GET", "HEAD", "POST"])
@only(may_change_accounts)
def people(request: SignedInRequest) -> HttpResponse:
    """Accounts, the newest first; those that were closed have no name, and are left out. POST: redirect to those that
    fit; the URL has the words encrypted, since logs of proxies have URLs."""
    if request.method == "POST":
        form = PeopleFilterForm(request.POST)
        typed = form.cleaned_data["q"].strip() if form.is_valid() else ""
        query = {search_words.PARAMETER: search_words.encrypt(typed, request.user)} if typed else {}
        return redirect(f"{reverse('people')}{'?' if query else ''}{urlencode(query)}")
    try:
        typed = search_words.decrypt(request.GET, request.user)
    except Refused as error:
        messages.error(request, str(error))
        typed = ""
    page, cursor = page_of(_matching(typed), request.GET.get("after"), ORDER, PAGE, descending=True)
    more = request.GET.copy()
    more["after"] = cursor or ""
    context = {
        "rows": [{"person": person, "roles": _roles(person)} for person in page],
        "query": typed,
        "next_url": f"?{more.urlencode()}" if cursor else None,
    }
    return render(request, "people/list.html", context)


@require_safe
@only(may_change_accounts)
def person(request: SignedInRequest, account_id: int) -> HttpResponse:
    return _page(request, _find(account_id))


@require_POST
@only(may_change_accounts)
@require_reauthentication
def change_roles(request: SignedInRequest, account_id: int) -> HttpResponse:
    """Grant ticked roles, and revoke the others."""
    account, form = _find(account_id), RolesForm(request.POST)
    if not form.is_valid():
        raise Http404
    wanted = set(form.cleaned_data["roles"])
    try:
        with transaction.atomic():  # in one transaction: if one is refused, none changes
            for role in sorted(wanted - account.roles):
                roles.grant_role(account.pk, role, request.user)
            for role in sorted(account.roles - wanted):
                roles.revoke_role(account.pk, role, request.user)
    except Refused as error:
        return _refused(request, account, error)
    messages.success(request, _("The roles of {name} were saved.").format(name=account.username))
    return redirect("person", account_id)


@require_POST
@only(may_change_accounts)
@require_reauthentication
def activate(request: SignedInRequest, account_id: int) -> HttpResponse:
    return _set_active(request, account_id, active=True)


@require_POST
@only(may_change_accounts)
@require_reauthentication
def deactivate(request: SignedInRequest, account_id: int) -> HttpResponse:
    return _set_active(request, account_id, active=False)


@require_POST
@only(may_change_accounts)
@require_reauthentication
def end_sessions(request: SignedInRequest, account_id: int) -> HttpResponse:
    """Sign the person out everywhere."""
    account = _find(account_id)
    try:
        sessions.end_sessions(account.pk, request.user)
        listed_sessions.end_sessions(account)  # they have ended; delete their rows, too
    except Refused as error:
        return _refused(request, account, error)
    messages.success(request, _("{name} is signed out everywhere.").format(name=account.username))
    return redirect("person", account_id)


@require_POST
@only(may_change_accounts)
@require_reauthentication
def reset_link(request: SignedInRequest, account_id: int) -> HttpResponse:
    """Show a password reset link, once, for installations without mail."""
    account = _find(account_id)
    try:
        account = sessions.allow_reset_link(account.pk, request.user)
    except Refused as error:
        return _refused(request, account, error)
    key = f"{user_pk_to_url_str(account)}-{PASSWORD_RESET_TOKEN_GENERATOR().make_token(account)}"
    return _page(request, account, link=get_adapter(request).get_reset_password_from_key_url(key))


@require_POST
@only(may_change_accounts)
@require_reauthentication
def close(request: SignedInRequest, account_id: int) -> HttpResponse:
    """Close somebody else's account, after the admin has typed its user name."""
    account = _find(account_id)
    form = CloseForm(account, request.POST)
    if not form.is_valid():
        form.show_problems(request)
        return _page(request, account, status=422)
    try:
        closing.close_account(account.pk, request.user)
    except Refused as error:
        return _refused(request, account, error)
    messages.success(request, _("The account is closed. Its name and its address are erased."))
    return redirect("people")


def _set_active(request: SignedInRequest, account_id: int, *, active: bool) -> HttpResponse:
    account = _find(account_id)
    try:
        roles.set_active(account.pk, active=active, by=request.user)
    except Refused as error:
        return _refused(request, account, error)
    return redirect("person", account_id)


def _matching(typed: str) -> QuerySet[User]:
    rows = User.objects.filter(closed_at=None).prefetch_related("groups")
    if not typed:
        return rows
    names = Q(username__icontains=typed) | Q(first_name__icontains=typed) | Q(last_name__icontains=typed)
    return rows.filter(names | Q(email__icontains=typed))


def _find(account_id: int) -> User:
    return get_object_or_404(User, pk=account_id, closed_at=None)


def _refused(request: SignedInRequest, account: User, error: Refused) -> HttpResponse:
    messages.error(request, str(error))
    return _page(request, _find(account.pk), status=422)


def _page(request: SignedInRequest, account: User, status: int = 200, **shown: object) -> HttpResponse:
    spaces = Space.objects.filter(host=account).exclude(state=Space.State.DELETED)
    older = changes.find_older_admin_conflict(account, request.user)
    context = {
        "person": account,
        "locked": changes.find_superuser_conflict(account, request.user),
        "older": older,
        "irremovable": older or changes.find_last_admin_conflict(account),
        "own": account.pk == request.user.pk,
        "spaces": spaces.count(),
        "roles": [(ADMINS, _("Admin"), ADMINS in account.roles), (AUDITORS, _("Auditor"), AUDITORS in account.roles)],
        "has_role": account.has_role,
        **shown,
    }
    return render(request, "people/person.html", context, status=status)


def _roles(person: User) -> set[str]:
    return {group.name for group in person.groups.all()}
