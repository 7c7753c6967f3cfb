"""Make a bag of the payload (RFC 8493, BagIt 1.0): manifests with SHA-256, and a few lines of metadata."""

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime

from archive.bundles.zip64 import Literal, Member, crc32

DECLARATION = b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"


def member(name: str, data: bytes) -> Member:
    return Member(name, Literal(data), crc32(data), hashlib.sha256(data).hexdigest())


def bag(folder: str, payload: Sequence[Member], *, identifier: str, title: str, date: datetime) -> list[Member]:
    """Return the members of the whole bag under `folder`, small ones first. Names of `payload` start with `data/`.

    `date` becomes the Bagging-Date. Use the Space's own, so that the same content gives the same bytes.
    """
    size = sum(m.size for m in payload)
    info = (
        f"Bag-Software-Agent: Spacekeep\nBagging-Date: {date.astimezone(UTC):%Y-%m-%d}\n"
        f"External-Description: {' '.join(title.split())}\nExternal-Identifier: {identifier}\n"
        f"Payload-Oxum: {size}.{len(payload)}\n"
    )
    tags = [
        member("bagit.txt", DECLARATION),
        member("bag-info.txt", info.encode()),
        member("manifest-sha256.txt", _manifest(payload)),
    ]
    tags.append(member("tagmanifest-sha256.txt", _manifest(tags)))
    return [Member(f"{folder}/{m.name}", m.body, m.crc32, m.sha256) for m in [*tags, *payload]]


def _manifest(members: Sequence[Member]) -> bytes:
    return "".join(f"{m.sha256}  {m.name}\n" for m in sorted(members, key=lambda m: m.name)).encode()
