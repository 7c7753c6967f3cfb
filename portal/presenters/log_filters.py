"""The choices of the log's filters."""

from dataclasses import dataclass
from operator import attrgetter

from archive.log.events import EVENTS
from archive.log.groups import GROUPS, group_of

MAX_NUMBER = 2**63 - 1


@dataclass(frozen=True)
class EventChoice:
    code: str
    label: str
    chosen: bool


@dataclass(frozen=True)
class EventGroup:
    """A group of events, with its single events."""

    choice: EventChoice
    events: list[EventChoice]


def event_groups(chosen: list[str]) -> list[EventGroup]:
    """Return all groups with their events; an event in two groups is listed only in the first one."""
    by_group: dict[str, list[EventChoice]] = {code: [] for code in GROUPS}
    for name, event in EVENTS.items():
        by_group[group_of(name)].append(EventChoice(name, str(event.label), name in chosen))
    return [
        EventGroup(EventChoice(code, str(group.label), code in chosen), sorted(by_group[code], key=attrgetter("label")))
        for code, group in GROUPS.items()
    ]


def read_number(text: str | None) -> int | None:
    """Parse the number of an entry in a URL; None for anything else."""
    return min(int(text), MAX_NUMBER) if text and text.isascii() and text.isdigit() else None
