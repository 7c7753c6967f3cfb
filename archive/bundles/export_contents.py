"""Contents of an export part: the bags of its Spaces, each in its own folder, and a page that links them.

The page names only the Spaces of this part, so that no title outlives its Space in another part. Of Spaces past their
deadline it shows only the day on which they ended.
"""

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from tempfile import TemporaryFile
from typing import BinaryIO

from django.conf import settings

from archive.bundles import bag
from archive.bundles.contents import content_id, folder, members
from archive.bundles.missing import missing_sources
from archive.bundles.zip64 import Literal, Member, Segment, Spooled, layout
from archive.display.export_index import render_export_index
from archive.models import ExportPart, Space

FORM = 1  # version of the part's format


@dataclass(frozen=True)
class Contents:
    """`id` identifies the contents; `filename` is the name of the download. Use `segments` only within the context of
    `contents`."""

    id: str
    filename: str
    segments: list[Segment]


@contextmanager
def contents(export_part: ExportPart, now: datetime) -> Iterator[Contents | None]:
    """Yield the contents at `now`; None if nothing in the part may be served any more.

    Small members are spooled to an unnamed file, which is deleted when this process ends. Raises StorageError, Refused.
    """
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
    identity = [FORM, export_part.number, total, ids, [str(space.id) for space in expired]]
    zip_members = [bag.member("index.html", render_export_index(export_part.number, total, named, expired))]
    for space, name in named:
        zip_members += [replace(_spooled(member, spool), modified=space.ended_at) for member in members(space, name)]
    stem = f"spaces-{max(space.ended_at for space in inside):%Y-%m-%d}"
    return Contents(
        hashlib.sha256(json.dumps(identity).encode()).hexdigest(),
        f"{stem}-{export_part.number}-of-{total}.zip",
        layout(zip_members, max(space.ended_at for space in inside)),
    )


def _spooled(member: Member, spool: BinaryIO) -> Member:
    if not isinstance(member.body, Literal):
        return member
    start = spool.seek(0, 2)
    spool.write(member.body.data)
    return replace(member, body=Spooled(spool, start, member.size, member.sha256))


def _folders(spaces: list[Space]) -> list[str]:
    """Return one folder name for each Space; no two differ only in case."""
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
