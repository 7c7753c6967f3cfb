"""Verify the whole log of this archive: entries, tree, tiles, signatures, and that no entry is left out."""

from collections.abc import Callable, Sequence
from typing import Any

from django.db.models import Exists, OuterRef
from django.db.models.functions import Now

from archive.models import LogCheckpoint, LogEntry, LogLeaf
from archive.transparency.database_log import DatabaseLog
from archive.transparency.keys import public_keys
from archive.transparency.unqueued import PATIENCE
from archive.transparency.verify_log import Checkpoint, Invalid, Key, verify_export


def verify(
    keys: Sequence[Key] = (),
    known: Sequence[Checkpoint] = (),
    *,
    step: Callable[[], None] = lambda: None,
    state: dict[str, Any] | None = None,
    save: Callable[[dict[str, Any]], None] = lambda state: None,
) -> dict[str, Any]:
    """Return the values of the verdict `log.verified`. `keys`: ours by default. `step` is called regularly; `state` and
    `save` as in verify_export. Raises Invalid, or an error of the store."""
    verified = verify_export(DatabaseLog(step), keys or public_keys(), known, state=state, save=save)
    if entry := oldest_unnumbered():
        raise Invalid("entries.unnumbered", entry=entry)
    return verified


def oldest_unnumbered() -> int | None:
    """Return an entry that lacks an index although it is older than the newest checkpoint and PATIENCE."""
    newest = LogCheckpoint.objects.order_by("-id").values_list("signed_at", flat=True).first()
    if newest is None:
        return None
    numbered = LogLeaf.objects.filter(entry_id=OuterRef("pk"))
    old = LogEntry.objects.filter(~Exists(numbered), at__lt=newest).filter(at__lt=Now() - PATIENCE)
    return old.order_by("at", "id").values_list("pk", flat=True).first()
