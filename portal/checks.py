"""What stops the start: settings that are missing or can't be right. Each has an id and a hint."""

import sys
from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.core.checks import CheckMessage, Error, Tags, register, run_checks

from portal import env

TAG = "spacekeep"


@register(Tags.security, TAG)
def environment(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    return [Error(p.message, hint=p.hint, id=p.id) for p in env.problems]


def stop_if_wrong() -> None:
    """For web servers and workers, which run no system checks by themselves.

    The exit status is gunicorn's own for a worker that can't start: after any other it starts the next one, for ever.
    """
    if errors := [message for message in run_checks(tags=[TAG]) if message.is_serious()]:
        sys.stderr.writelines(f"{m.id}: {m.msg} {m.hint or ''}".rstrip() + "\n" for m in errors)
        sys.stderr.flush()
        sys.exit(3)
