"""Count requests and their duration, by the name of the URL pattern."""

import time
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from prometheus_client import Counter, Gauge, Histogram

REQUESTS = Counter("spacekeep_http_requests", "Requests, by view.", ["view", "method", "status"])
SECONDS = Histogram(
    "spacekeep_http_request_seconds",
    "Seconds until the response begins, by view.",
    ["view"],
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
IN_PROGRESS = Gauge("spacekeep_http_requests_in_progress", "Requests in progress.", multiprocess_mode="livesum")
METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}


class RequestMetricsMiddleware:
    """Count final responses, so it comes before other middleware. Labels contain no ids, only the names of URL
    patterns."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        started = time.monotonic()
        with IN_PROGRESS.track_inprogress():
            response = self.get_response(request)
        view = name_of(request)
        method = request.method if request.method in METHODS else "other"
        REQUESTS.labels(view, method, response.status_code).inc()
        SECONDS.labels(view).observe(time.monotonic() - started)
        return response


def name_of(request: HttpRequest) -> str:
    """Return the name of the matching pattern; "none" for unknown URLs and static files."""
    match = request.resolver_match
    return (match.view_name if match else "") or "none"
