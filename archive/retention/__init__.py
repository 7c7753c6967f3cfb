"""Deletion at the deadline: `due` selects Spaces, `purge` deletes them with proof, `recheck` verifies it daily."""
