"""The proof that the retention log is complete: a Merkle tree over its entries, and signed heads of that tree.

A business transaction only inserts its entry. The sequencer gives each committed entry the next index and a leaf hash,
writes tiles to the store, and signs checkpoints that others keep. What follows for an auditor is in docs/log.md.
"""
