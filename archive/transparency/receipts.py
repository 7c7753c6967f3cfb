"""Make receipts: proofs that one entry is in the log (c2sp.org/tlog-proof), for people who keep them elsewhere."""

from archive.log.leaf import leaf_data
from archive.models import LogEntry, LogLeaf
from archive.transparency import checkpoints
from archive.transparency.tile_store import stored_tree
from archive.transparency.verify_log import Checkpoint, Receipt
from archive.transparency.witnesses import note_with_cosignatures


def make_receipt(entry: LogEntry) -> Receipt | None:
    """Return the receipt of an entry, with the first checkpoint that contains it; None if there is none yet."""
    index = LogLeaf.objects.filter(entry_id=entry.pk).values_list("index", flat=True).first()
    row = None if index is None else checkpoints.covering(index)
    if index is None or row is None:
        return None
    path = stored_tree(row.size).inclusion_path(index)
    return Receipt(leaf_data(entry), index, tuple(path), Checkpoint.parse(note_with_cosignatures(row)))
