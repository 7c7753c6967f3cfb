"""What auditors ask of the retention log: which entries, how many, what was deleted, and whether that was on time."""
