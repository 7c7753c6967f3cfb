"""Claimed work in general."""

from django.utils.translation import gettext_lazy as _

MESSAGES = {
    "work.unexpected": _("It stopped unexpectedly ({error})."),
    "work.parked": _(
        "It stopped unexpectedly {count:number} times, and is retried once a day now. Nothing was lost. The last "
        "time: {reason:message}"
    ),
    "work.gave_up": _("The worker stopped each time before it was done."),
    "work.deadline_first": _("The deadline came before it was done."),
    "work.lease_lost": _("{model} {id} is {state} now: another worker continued it, or it has ended."),
}
