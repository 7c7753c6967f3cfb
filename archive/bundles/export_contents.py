"""What goes into a part: the bags of its Spaces, each under a folder of its own, and a page that links them.

The page names the Spaces of this part only: another one's title must not outlive its Space in here. Those that have
come to their deadline are named by their day, as nothing else of them is left.
"""

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from tempfile import TemporaryFile
from typing import BinaryIO

from django.conf import settings
from django.template.loader import render_to_string

from archive.bundles import bag
from archive.bundles.contents import content_id, folder, members
from archive.bundles.missing import missing_sources
from archive.bundles.zip64 import Literal, Member, Segment, Spooled, layout
from archive.display.assets import allowed, assets, templates
from archive.models import ExportPart, Space

FORM = 1
TEMPLATE = "bundle/export_part.html"


@dataclass(frozen=True)
class Contents:
    """`id` names what is in it; `filename` is what the download is called. `segments` hold as long as the context that
    gave them."""

    id: str
    filename: str
    segments: list[Segment]


@contextmanager
def contents(export_part: ExportPart, now: datetime) -> Iterator[Contents | None]:
    """As it stands at `now`; None when nothing in it is served any more. Small members wait in a file without a name,
    which is gone with this process. Raises StorageError, Refused."""
    places = list(export_part.places.select_related("space__host"))
    inside = [place.space for place in places if not place.excluded and place.space.is_served(now)]
    expired = [place.space for place in places if place.excluded or not place.space.is_served(now)]
    if not inside:
        yield None
        return
    if settings.BUNDLE_MISSING_OBJECTS == "list":
        for space in inside:
            missing_sources(space)
    with TemporaryFile(dir=settings.SPOOL_DIR) as spool:
        yield _contents(export_part, inside, expired, spool)


def _contents(export_part: ExportPart, inside: list[Space], expired: list[Space], spool: BinaryIO) -> Contents:
    named = list(zip(inside, _folders(inside), strict=True))
    total = export_part.export.parts.order_by("-number").values_list("number", flat=True)[0]
    ids = [content_id(space) for space in inside]
    told = [FORM, export_part.number, total, ids, [str(space.id) for space in expired], _templates()]
    index = bag.member("index.html", _page(export_part.number, total, named, expired))
    found = [index]
    for space, name in named:
        found += [replace(_spooled(member, spool), modified=space.ended_at) for member in members(space, name)]
    stem = f"spaces-{max(space.ended_at for space in inside):%Y-%m-%d}"
    return Contents(
        hashlib.sha256(json.dumps(told).encode()).hexdigest(),
        f"{stem}-{export_part.number}-of-{total}.zip",
        layout(found, max(space.ended_at for space in inside)),
    )


def _page(number: int, total: int, inside: list[tuple[Space, str]], expired: list[Space]) -> bytes:
    brought = assets()
    context = {
        "number": number,
        "total": total,
        "inside": inside,
        "expired": expired,
        "assets": brought,
        "style_hash": allowed(brought.style),
    }
    return render_to_string(TEMPLATE, context).encode()


@cache
def _templates() -> str:
    """What the page is made from is part of what is in the part."""
    parts = (assets().digest, *templates(TEMPLATE).values())
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def _spooled(member: Member, spool: BinaryIO) -> Member:
    if not isinstance(member.body, Literal):
        return member
    start = spool.seek(0, 2)
    spool.write(member.body.data)
    return replace(member, body=Spooled(spool, start, member.size, member.sha256))


def _folders(spaces: list[Space]) -> list[str]:
    """A folder's name for each, no two of which differ only in case."""
    taken: set[str] = set()
    names = []
    for space in spaces:
        name, count = folder(space), 1
        while name.casefold() in taken:
            count += 1
            name = f"{folder(space)} ({count})"
        taken.add(name.casefold())
        names.append(name)
    return names
