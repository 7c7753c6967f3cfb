"""Render index.html of an export part: links to the Spaces in it, without scripts."""

import hashlib
from collections.abc import Sequence
from functools import cache

from django.template.loader import render_to_string
from django.utils import translation

from archive.display.assets import allowed, assets, templates
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


@cache
def export_index_digest() -> str:
    """Return the SHA-256 (hex) of everything that the page is made from, except the Spaces."""
    sources = (assets().digest, *templates(TEMPLATE).values())
    return hashlib.sha256("\0".join(sources).encode()).hexdigest()
