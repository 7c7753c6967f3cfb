"""Limits of requests."""

from django.utils.translation import gettext_lazy as _

MESSAGES = {
    "limit.reached": _(
        "These are too many requests: at most {most:number} in {period:duration} are accepted. Nothing was changed. "
        "Try again in {seconds:duration}."
    ),
}
