"""Deadlines, for auditors and admins: due, overdue, and on hold, with the reasons. The lists show titles, hosts, names
of rules and reasons of holds, but no content, and no reasons of flags, which quote content."""

from datetime import datetime, timedelta
from operator import attrgetter
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.text import capfirst
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe

from archive import dbtime, policy, restores
from archive.display.deadline_reasons import shorten_reason
from archive.models import Hold, Space, SpaceQuerySet, User, Violation, current_policy
from archive.retention.simulate import AffectedSpace, simulate
from portal.access import may_read_log, only
from portal.forms.simulation import MAX_DAYS, PolicyForm
from portal.http import SignedInRequest
from portal.paging import page_of

PAGE = 50
DAYS = 7
MAX_SIMULATED = 1000  # Spaces that one preview of another policy reads


@require_safe
@only(may_read_log)
def deadlines(request: SignedInRequest) -> HttpResponse:
    now = dbtime.now()
    spaces = Space.objects.prefetch_related("violations__rule")
    soon = spaces.due_within(timedelta(days=DAYS), now)
    page, cursor = page_of(soon, request.GET.get("after"), ("expires_at", "id"), PAGE)
    held, held_cursor = page_of(
        Hold.objects.filter(state=Hold.State.STANDING)
        .select_related("placed_by")
        .prefetch_related("space__violations__rule"),
        request.GET.get("held"),
        ("placed_at", "id"),
        PAGE,
    )
    late = _overdue(spaces, now)
    visible = _visible([space.pk for space in (*late, *page)] + [hold.space_id for hold in held], request.user)
    context = {
        "now": now,
        "paused": restores.describe_pause(),
        "late": [_row(space, visible) for space in late],
        "late_minutes": policy.MAX_DELETION_DELAY // timedelta(minutes=1),
        "soon": [_row(space, visible) for space in page],
        "days": DAYS,
        "next_url": f"?{urlencode({'after': cursor})}#soon" if cursor else None,
        "held": [{"hold": hold, **_row(hold.space, visible)} for hold in held],
        "held_url": f"?{urlencode({'held': held_cursor})}#held" if held_cursor else None,
        **_simulation(request),
    }
    return render(request, "log/deadlines.html", context)


def _overdue(spaces: SpaceQuerySet, now: datetime) -> list[Space]:
    """Return a page of overdue Spaces, the oldest deadline first. Uses two queries: no index covers both kinds, and
    among a million Spaces hardly any is overdue."""
    before = now - policy.MAX_DELETION_DELAY
    started = spaces.filter(state=Space.State.EXPIRING, expires_at__lte=before)
    both = [*_first(spaces.overdue(before)), *_first(started)]
    return sorted(both, key=attrgetter("expires_at", "id"))[:PAGE]


def _first(spaces: SpaceQuerySet) -> SpaceQuerySet:
    return spaces.order_by("expires_at", "id")[:PAGE]


def _visible(ids: list[UUID], user: User) -> dict[UUID, Space]:
    """Return the Spaces among these whose title and host this user may see."""
    return Space.objects.visible_to(user).select_related("host").in_bulk(ids)


def _row(space: Space, visible: dict[UUID, Space]) -> dict[str, Any]:
    standing = [violation.rule for violation in space.violations.all() if violation.state != Violation.State.LIFTED]
    return {
        "id": space.pk,
        "space": visible.get(space.pk),
        "ended_at": space.ended_at,
        "until": space.expires_at,
        "state": capfirst(space.get_state_display()),
        "problem": bool(space.problem) and space.state == Space.State.EXPIRING,
        "reasons": [shorten_reason(reason) for reason in space.stored_deadline().reasons],
        "rules": sorted({rule.name for rule in standing}),
    }


def _simulation(request: SignedInRequest) -> dict[str, Any]:
    """Preview which Spaces a different policy would affect. Read-only."""
    form = PolicyForm.of_query(request.GET, current_policy())
    context: dict[str, Any] = {"policy_form": form, "most_days": MAX_DAYS}
    if not form.is_bound:
        return context
    if not form.is_valid():
        return context | {"rule_problem": form.problems[0]}
    kept = Space.objects.timed_copies(dbtime.now())
    touched = list(simulate(form.policy, MAX_SIMULATED))
    return context | {
        "asked_query": f"?{urlencode(vars(form.policy))}",
        "touched": _with_spaces(touched[:PAGE], request.user),
        "touched_count": len(touched),
        "touched_sentence": _describe(touched),
        "looked_at": MAX_SIMULATED,
        "all": kept[: MAX_SIMULATED + 1].count() <= MAX_SIMULATED,
        "held_count": Space.objects.on_hold()[: MAX_SIMULATED + 1].count(),
        "most_counted": MAX_SIMULATED,
    }


def _with_spaces(touched: list[AffectedSpace], user: User) -> list[tuple[AffectedSpace, Space | None]]:
    """Add each row's Space, for its title and host, if this user may see it and it was not deleted in the meantime."""
    spaces = _visible([one.id for one in touched], user)
    return [(one, spaces.get(one.id)) for one in touched]


def _describe(touched: list[AffectedSpace]) -> str:
    """Describe how many deadlines would move: a sentence for each direction."""
    at_once = sum(one.at_once for one in touched)
    longer = sum(one.longer for one in touched)
    shorter = sum(not one.longer and not one.at_once for one in touched)
    sentences = (
        (longer, ngettext("{count} deadline would be later.", "{count} deadlines would be later.", longer)),
        (shorter, ngettext("{count} deadline would be earlier.", "{count} deadlines would be earlier.", shorter)),
        (
            at_once,
            ngettext("{count} Space would be deleted at once.", "{count} Spaces would be deleted at once.", at_once),
        ),
    )
    return " ".join(sentence.format(count=count) for count, sentence in sentences if count)
