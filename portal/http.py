"""Types of requests as the middleware leaves them."""

from django.http import HttpRequest
from django_htmx.middleware import HtmxDetails

from archive.models import User


class HtmxHttpRequest(HttpRequest):
    """A request with the `htmx` that django-htmx's middleware adds."""

    htmx: HtmxDetails


class SignedInRequest(HtmxHttpRequest):
    """A request of a signed-in user: LoginRequiredMiddleware has sent everybody else to the sign-in page."""

    user: User
