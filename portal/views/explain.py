"""The pages that explain this installation. They are public, since people read them before signing in."""

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from archive.models import current_policy
from archive.models.space import MAX_COHOSTS, MAX_SPEAKERS
from archive.moderation.rules import list_rules
from archive.policy import ABANDONED_AFTER, APPEAL_DAYS, MAX_DELETION_DELAY


@login_not_required
@require_safe
def what_we_keep(request: HttpRequest) -> HttpResponse:
    """Explain what is kept, for how long, and who can see it, with the numbers of this installation."""
    policy = current_policy()
    context = {
        "policy": policy,
        "longest_days": policy.retention_days + policy.violation_extra_days,
        "appeal_days": APPEAL_DAYS,
        "deletion_minutes": int(MAX_DELETION_DELAY.total_seconds() // 60),
        "abandoned_hours": int(ABANDONED_AFTER.total_seconds() // 3600),
        "max_cohosts": MAX_COHOSTS,
        "max_speakers": MAX_SPEAKERS,
        "hold_needs_second_admin": settings.HOLD_RELEASE_NEEDS_SECOND_ADMIN,
        "appeal_needs_second_admin": settings.APPEAL_NEEDS_SECOND_ADMIN,
        "transcribes": bool(settings.TRANSCRIPTION_MODEL),
    }
    return render(request, "help/what_we_keep.html", context)


@login_not_required
@require_safe
def help_page(request: HttpRequest) -> HttpResponse:
    """Explain how to use the site, by role, and its keyboard shortcuts."""
    return render(request, "help/help.html", {"appeal_days": APPEAL_DAYS})


@login_not_required
@require_safe
def house_rules(request: HttpRequest) -> HttpResponse:
    """List the rules that new flags can use, with their current texts."""
    return render(request, "help/house_rules.html", {"rules": list_rules(), "appeal_days": APPEAL_DAYS})
