"""Deletion at the deadline: `due` selects Spaces, `purge` deletes them, and `recheck` verifies the result daily."""
