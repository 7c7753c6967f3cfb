"""Check who may read metrics: callers that send METRICS_TOKEN. Without that setting there are no metrics."""

import hmac
from http import HTTPStatus

from django.conf import settings

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"  # what generate_latest writes
CHALLENGE = ("WWW-Authenticate", 'Bearer realm="metrics"')


def refusal(authorization: str) -> HTTPStatus | None:
    """Return the refusal for a request with this Authorization header; None if it may read metrics."""
    if not settings.METRICS_TOKEN:
        return HTTPStatus.NOT_FOUND
    scheme, _, token = authorization.partition(" ")
    is_right = hmac.compare_digest(token.strip().encode(), settings.METRICS_TOKEN.encode())
    return None if is_right and scheme.lower() == "bearer" else HTTPStatus.UNAUTHORIZED
