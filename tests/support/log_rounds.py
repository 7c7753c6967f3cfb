"""What beat starts each minute for the log."""

from archive.transparency import publishing, sequence


def run_round() -> None:
    """Number and sign, give the checkpoint to others, and write to the store what they said of it."""
    sequence.run()
    publishing.run()
    sequence.run()
