"""Read the retention log of a Space."""

from typing import Any

from archive.models import LogEntry, Space


def events(space: Space) -> list[str]:
    return list(LogEntry.objects.filter(space_id=space.pk).order_by("id").values_list("event", flat=True))


def event_detail(space: Space, event: str) -> dict[str, Any]:
    detail: dict[str, Any] = LogEntry.objects.get(space_id=space.pk, event=event).detail
    return detail


def entries(space: Space) -> list[tuple[str, dict[str, Any]]]:
    return list(LogEntry.objects.filter(space_id=space.pk).order_by("id").values_list("event", "detail"))
