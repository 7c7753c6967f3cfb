"""Render index.html of an export part: links to the Spaces in it, without scripts."""

from collections.abc import Sequence

from django.template.loader import render_to_string
from django.utils import translation

from archive.display.assets import allowed, assets
from archive.models import Space

TEMPLATE = "archive/bundle/export_part.html"


@translation.override("en")  # one language for all readers, so that the same content gives the same bytes
def render_export_index(
    number: int, total: int, included: Sequence[tuple[Space, str]], expired: Sequence[Space]
) -> bytes:
    """Return the page as UTF-8. `included`: Spaces with the names of their folders. Of `expired` Spaces it shows only
    the day on which they ended."""
    context = {
        "number": number,
        "total": total,
        "included": included,
        "expired": expired,
        "assets": assets(),
        "style_hash": allowed(assets().style),
    }
    return render_to_string(TEMPLATE, context).encode()
