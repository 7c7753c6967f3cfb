"""Limits of requests."""

from django.utils.translation import gettext_lazy as _

MESSAGES = {
    "limit.reached": _(
        "Too many requests: at most {most:number} are accepted in {period:duration}. Nothing was changed. Try again in "
        "{seconds:duration}."
    ),
}
