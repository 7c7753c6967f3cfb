"""Keeping the promise: violations move the deadline, the sweep finds what is due, the purge deletes it with proof."""
