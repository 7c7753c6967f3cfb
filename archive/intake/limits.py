"""Limits that uploads and the readers of their content share."""

MAX_TRANSCRIPT_BYTES = 20 * 10**6  # a day of speech is under 2 MB
