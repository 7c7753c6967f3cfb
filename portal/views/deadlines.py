"""For auditors: what is due, what is late, what is held and why. Ids, codes, and the reasons of holds; no titles,
nothing of what was said."""

from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.contrib.auth.decorators import login_required
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from archive import dbtime, policy
from archive.models import Hold, Space, current_policy
from archive.retention.simulate import simulate
from portal.access import current_user
from portal.paging import page_of

PAGE = 50
DAYS = 7
LATE = timedelta(minutes=15)  # after the deadline: the promise
LOOKED_AT = 1000  # Spaces that one answer about another rule looks at
NUMBERS = ("retention_days", "violation_extra_days", "lift_grace_days")
MOST_DAYS = 10_000


@login_required
@require_safe
@never_cache
def deadlines(request: HttpRequest) -> HttpResponse:
    user = current_user(request)
    if not (user.is_auditor or user.is_admin):
        raise Http404
    now = dbtime.now()
    spaces = Space.objects.prefetch_related("violations")
    soon = spaces.filter(state__in=Space.KEPT, expires_at__gt=now, expires_at__lte=now + timedelta(days=DAYS))
    page, cursor = page_of(soon, request.GET.get("after"), ("expires_at", "id"), PAGE)
    held, held_cursor = page_of(
        Hold.objects.filter(state=Hold.State.STANDING)
        .select_related("placed_by")
        .prefetch_related("space__violations"),
        request.GET.get("held"),
        ("placed_at", "id"),
        PAGE,
    )
    context = {
        "late": [_row(space) for space in spaces.filter(_late(now)).order_by("expires_at", "id")[:PAGE]],
        "late_minutes": LATE // timedelta(minutes=1),
        "soon": [_row(space) for space in page],
        "days": DAYS,
        "next_url": f"?{urlencode({'after': cursor})}#soon" if cursor else None,
        "held": [{"hold": hold, **_row(hold.space)} for hold in held],
        "held_url": f"?{urlencode({'held': held_cursor})}#held" if held_cursor else None,
        **_what_if(request),
    }
    return render(request, "log/due.html", context)


def _late(now: datetime) -> Q:
    """Its copies should be gone by now."""
    passed = Q(expires_at__lte=now - LATE)
    return Q(passed, state__in=Space.KEPT) | Q(passed, state=Space.State.EXPIRING)


def _row(space: Space) -> dict[str, Any]:
    standing = [violation.rule_id for violation in space.violations.all() if violation.state != "lifted"]
    return {
        "id": space.pk,
        "until": space.expires_at,
        "state": space.get_state_display(),
        "problem": bool(space.problem) and space.state == Space.State.EXPIRING,
        "codes": sorted(set(space.stored_deadline().codes)),
        "rules": sorted(set(standing)),
    }


def _what_if(request: HttpRequest) -> dict[str, Any]:
    """Whom another rule would touch. Nothing is changed by asking."""
    now = current_policy()
    typed = {name: request.GET.get(name, "").strip() or str(getattr(now, name)) for name in NUMBERS}
    fields = [
        {"name": name, "label": label, "value": typed[name]}
        for name, label in zip(NUMBERS, ("Days", "More for a violation", "Days after a lifting"), strict=True)
    ]
    context: dict[str, Any] = {"rule_fields": fields, "most_days": MOST_DAYS}
    if not any(request.GET.get(name) for name in NUMBERS):
        return context
    try:
        numbers = [int(text) if text.isascii() and text.isdigit() and len(text) < 6 else -1 for text in typed.values()]
        if max(numbers) > MOST_DAYS:
            raise ValueError("no rule")
        rule = policy.RetentionPolicy(*numbers)
    except ValueError:
        return context | {"rule_problem": f"A rule keeps for 1 to {MOST_DAYS} days, and counts whole days forward."}
    kept = Space.objects.filter(state__in=Space.KEPT, expires_at__gt=dbtime.now())
    touched = list(simulate(rule, LOOKED_AT))
    return context | {
        "asked_rule": rule,
        "touched": touched[:PAGE],
        "touched_count": len(touched),
        "at_once": sum(one.at_once for one in touched),
        "longer": sum(one.longer for one in touched),
        "shorter": sum(not one.longer and not one.at_once for one in touched),
        "looked_at": LOOKED_AT,
        "all": kept[: LOOKED_AT + 1].count() <= LOOKED_AT,
    }
