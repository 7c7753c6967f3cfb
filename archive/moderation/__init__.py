"""Moderation: flags, appeals, legal holds and evidence, and the deadline that follows from them."""
