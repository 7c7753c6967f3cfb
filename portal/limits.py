"""Rate limits of pages (archive/rate_limits.py)."""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

from django.http import HttpResponse

from archive import rate_limits
from portal.http import SignedInRequest

P = ParamSpec("P")
View = Callable[Concatenate[SignedInRequest, P], HttpResponse]


def count_request(request: SignedInRequest, limit: str) -> None:
    """Count a request of this person. Raises TooManyRequests at the limit."""
    rate_limits.count(limit, rate_limits.Caller("user", str(request.user.pk)))


def limited(limit: str) -> Callable[[View[P]], View[P]]:
    """Count each POST of the view. Put it below `@only`, so that requests without access are not counted."""

    def decorate(view: View[P]) -> View[P]:
        @wraps(view)
        def answer(request: SignedInRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
            if request.method == "POST":
                count_request(request, limit)
            return view(request, *args, **kwargs)

        return answer

    return decorate
