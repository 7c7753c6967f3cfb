"""Facts of a Space for pages, beside its title, host and end."""

from archive import formatting
from archive.models import Space


def list_facts(space: Space) -> list[tuple[str, str]]:
    """(label, value) of each fact that is known: who could talk, and how many listened."""
    facts = [("Who could talk", space.get_audience_display())] if space.audience else []
    for label, count in (("Listeners at most", space.listeners_peak), ("Listeners in all", space.listeners_total)):
        if count is not None:
            facts.append((label, formatting.format_number(count)))
    return facts
