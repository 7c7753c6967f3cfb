"""Prove that the retention log is complete: a Merkle tree over its entries, and signed heads of that tree.

A transaction that changes something only inserts its entry. The sequencer (sequence.py) gives each committed entry the
next index and a leaf hash; checkpoints.py writes tiles to the store and signs checkpoints, which other parties keep.
docs/architecture.md lists the modules; docs/log.md says how to check the log and what that proves.
"""
