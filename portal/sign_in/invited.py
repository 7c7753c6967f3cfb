"""The invitation of a browser session. Nobody can sign up without one."""

from django.http import HttpRequest

from archive.accounts import invitations
from archive.models import Invitation

SESSION_KEY = "invitation"


def remember(request: HttpRequest, token: str) -> None:
    """Store the token in the session, so that the URL of the form contains no secret."""
    request.session[SESSION_KEY] = token


def token_of(request: HttpRequest) -> str:
    return str(request.session.get(SESSION_KEY, ""))


def find(request: HttpRequest) -> Invitation | None:
    """Return the invitation of this session, if it can be accepted."""
    token = token_of(request)
    return invitations.find_valid(token) if token else None


def forget(request: HttpRequest) -> None:
    request.session.pop(SESSION_KEY, None)
