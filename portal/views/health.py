"""Health checks where no proxy has them answered by a process of their own (portal/health.py)."""

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe

from portal import readiness


@login_not_required
@require_safe
def livez(request: HttpRequest) -> JsonResponse:
    """200: this process answers."""
    return _answer(*readiness.live())


@login_not_required
@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    """200 when requests can be answered, else 503 with what is missing."""
    return _answer(*readiness.ready())


@login_not_required
@require_safe
def healthz(request: HttpRequest) -> JsonResponse:
    """200 when PostgreSQL answers, else 503."""
    return _answer(*readiness.check())


def _answer(status: int, facts: readiness.Facts) -> JsonResponse:
    return JsonResponse(facts, status=status)
