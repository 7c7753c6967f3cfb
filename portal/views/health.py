"""Health check where no proxy has one of its own (portal/health.py)."""

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe

from portal import health


@login_not_required
@require_safe
def healthz(request: HttpRequest) -> JsonResponse:
    """200 when PostgreSQL answers, else 503."""
    status, facts = health.check()
    return JsonResponse(facts, status=status)
