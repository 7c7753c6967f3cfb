"""Deletion at the deadline: `due` finds what is due, `purge` deletes it with proof, `recheck` checks it daily."""
