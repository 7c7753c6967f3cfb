"""The facts of a Space on pages, besides title, host and end."""

from django.utils.text import capfirst
from django.utils.translation import gettext as _

from archive import formatting
from archive.models import Space


def list_facts(space: Space) -> list[tuple[str, str]]:
    """Return (label, value) of each known fact: who could speak, and how many listened."""
    facts = [(_("Who could speak"), capfirst(space.get_audience_display()))] if space.audience else []
    listeners = ((_("Peak listeners"), space.listeners_peak), (_("Total listeners"), space.listeners_total))
    for label, count in listeners:
        if count is not None:
            facts.append((label, formatting.format_number(count)))
    return facts
