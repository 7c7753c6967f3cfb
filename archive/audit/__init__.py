"""Queries of the retention log for auditors: which entries, how many, what was deleted, and whether it was on time."""
