"""Log people's changes of their own sign-in to the retention log.

allauth announces such changes only by signals, mostly after the commit, so an entry could be lost. Instead, each view
that makes such changes is wrapped: the account's state before and after is compared, in one transaction with the
change. This also logs kinds of changes that future versions of allauth add.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Concatenate, ParamSpec

from allauth.mfa.models import Authenticator
from django.db import transaction
from django.http import HttpRequest, HttpResponse

from archive.accounts import changes
from archive.log import events
from archive.models import User

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponse]

SAFE = ("GET", "HEAD", "OPTIONS")
CODES = Authenticator.Type.RECOVERY_CODES


@dataclass(frozen=True)
class SignInState:
    """The sign-in data that an account's owner can change: {id: type} of second factors, and the address."""

    factors: dict[int, str]
    email: str


def log_own_changes(view: View[P]) -> View[P]:
    """Decorate a view that changes how its user signs in."""

    @wraps(view)
    def logged(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        user = request.user
        if request.method in SAFE or not isinstance(user, User):
            return view(request, *args, **kwargs)
        with transaction.atomic():
            before = _read_state(user, lock=True)
            response = view(request, *args, **kwargs)
            _record(user, before, _read_state(user))
            return response

    return logged


def _read_state(user: User, *, lock: bool = False) -> SignInState:
    """With `lock`, changes of one account are serialized, so that each is logged in its own entry."""
    rows = User.objects.select_for_update(no_key=True) if lock else User.objects
    email = rows.values_list("email", flat=True).get(pk=user.pk)
    factors = Authenticator.objects.filter(user_id=user.pk).values_list("pk", "type")
    return SignInState({pk: str(kind) for pk, kind in factors}, email)


def _record(user: User, before: SignInState, after: SignInState) -> None:
    removed = {pk: kind for pk, kind in before.factors.items() if pk not in after.factors}
    added = {pk: kind for pk, kind in after.factors.items() if pk not in before.factors}
    if CODES in removed.values() and CODES in added.values():
        changes.record(events.ACCOUNT_RECOVERY_CODES_REPLACED, user, user)
        removed, added = ({pk: kind for pk, kind in rows.items() if kind != CODES} for rows in (removed, added))
    for event, rows in (
        (events.ACCOUNT_SECOND_FACTOR_REMOVED, removed),
        (events.ACCOUNT_SECOND_FACTOR_ADDED, added),
    ):
        for pk, kind in sorted(rows.items()):
            changes.record(event, user, user, factor=pk, type=kind)
    if before.email != after.email:
        changes.record(events.ACCOUNT_EMAIL_CHANGED, user, user)
