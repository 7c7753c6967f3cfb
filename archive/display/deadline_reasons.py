"""Render the reasons for a deadline as sentences. Rows and logs store codes with numbers (archive/policy.py)."""

from collections.abc import Iterable
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext, override

from archive.policy import Deadline, Reason, ReasonCode


def format_days(count: int) -> str:
    """Format as "1 day", "30 days"."""
    return ngettext("%(count)d day", "%(count)d days", count) % {"count": count}


def render_reason(reason: Reason) -> str:
    """Return one sentence. Raises ValueError for a code that the policy does not have."""
    match ReasonCode(reason.code):
        case ReasonCode.BASE:
            return _("Every recording is kept for %(days)s after its Space ended.") % _counted_days(reason)
        case ReasonCode.VIOLATION:
            sentence = _("It was flagged for breaking a rule, so it is kept %(days)s longer: %(total)s in all.")
            return sentence % _counted_days(reason)
        case ReasonCode.LIFTED:
            return _("All flags were lifted, so the original deadline applies again.")
        case ReasonCode.LIFT_GRACE:
            sentence = _(
                "It is kept at least %(days)s after the last flag was lifted, so that the host can download it."
            )
            return sentence % _counted_days(reason)
        case ReasonCode.LIFT_CAP:
            return _("It is never kept longer than %(total)s after the end.") % _counted_days(reason)
        case ReasonCode.HOLD:
            return _("It is on legal hold: nothing is deleted until the hold is released.")


def shorten_reason(reason: Reason) -> str:
    """Return a few words for a column of a table. Raises ValueError for a code that the policy does not have."""
    match ReasonCode(reason.code):
        case ReasonCode.BASE:
            return _("%(days)s after the end") % _counted_days(reason)
        case ReasonCode.VIOLATION:
            return _("flagged: %(days)s longer") % _counted_days(reason)
        case ReasonCode.LIFTED:
            return _("all flags lifted")
        case ReasonCode.LIFT_GRACE:
            return _("%(days)s after the last flag was lifted") % _counted_days(reason)
        case ReasonCode.LIFT_CAP:
            return _("at most %(total)s after the end") % _counted_days(reason)
        case ReasonCode.HOLD:
            return _("on legal hold")


def _counted_days(reason: Reason) -> dict[str, str]:
    """Return the numbers for the reason's sentence."""
    days = {"days": format_days(reason.days or 0)}
    return days if reason.total_days is None else days | {"total": format_days(reason.total_days)}


def name_reason(code: str) -> str:
    """Name a reason without its numbers, as in certificates. A code that only newer versions know is returned as it
    is."""
    names = {
        ReasonCode.BASE: _("regular period"),
        ReasonCode.VIOLATION: _("flagged"),
        ReasonCode.LIFTED: _("all flags lifted"),
        ReasonCode.LIFT_GRACE: _("time after the last flag was lifted"),
        ReasonCode.LIFT_CAP: _("longest period"),
        ReasonCode.HOLD: _("on legal hold"),
    }
    return {str(known): name for known, name in names.items()}.get(code, code)


def render_reasons(deadline: Deadline) -> tuple[str, ...]:
    """Return one sentence for each reason of the deadline."""
    return tuple(render_reason(reason) for reason in deadline.reasons)


def reasons_with_text(reasons: Iterable[Reason]) -> list[dict[str, Any]]:
    """Return the reasons for space.json: codes and numbers, with the sentence in English, as it is read offline."""
    with override("en"):
        return [{**reason.as_json(), "text": render_reason(reason)} for reason in reasons]
