"""Health checks of this process, for installations without the health process (portal/health.py)."""

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe

from portal import readiness


@login_not_required
@require_safe
def livez(request: HttpRequest) -> JsonResponse:
    """Answer 200, since the process runs."""
    return _answer(*readiness.live())


@login_not_required
@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    """Answer 200 if requests can be answered, else 503 with the missing engines."""
    return _answer(*readiness.ready())


@login_not_required
@require_safe
def healthz(request: HttpRequest) -> JsonResponse:
    """Answer 200 if PostgreSQL answers, else 503."""
    return _answer(*readiness.check())


def _answer(status: int, facts: readiness.Facts) -> JsonResponse:
    return JsonResponse(facts, status=status)
