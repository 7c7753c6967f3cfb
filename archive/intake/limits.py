"""Limits shared by uploads and the code that reads their content."""

MAX_TRANSCRIPT_BYTES = 20 * 10**6  # a day of speech is under 2 MB
