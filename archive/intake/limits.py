"""Limits that uploads and the readers of their content share."""

MAX_TRANSCRIPT_BYTES = 20 * 1024**2  # a day of speech is under 2 MB
