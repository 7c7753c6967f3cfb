"""What stops the start: settings that are missing or can't be right. Each has an id and a hint."""

import sys
from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register, run_checks

from portal import env

TAG = "spacekeep"


@register(Tags.security, TAG)
def environment(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    found: list[CheckMessage] = [Error(p.message, hint=p.hint, id=p.id) for p in env.problems]
    if settings.LEASE_SECONDS <= settings.CELERY_TASK_TIME_LIMIT:
        found.append(
            Error("A task may run for longer than its lease.", hint="Raise LEASE_SECONDS.", id="spacekeep.E020")
        )
    return found


def stop_if_wrong() -> None:
    """For web servers and workers, which run no system checks by themselves."""
    if errors := [message for message in run_checks(tags=[TAG]) if message.is_serious()]:
        sys.exit("\n".join(f"{m.id}: {m.msg} {m.hint or ''}".rstrip() for m in errors))
