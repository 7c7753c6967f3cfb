"""Wait for a condition, with a limit that even a slow machine does not reach."""

import time
from collections.abc import Callable
from urllib.error import URLError
from urllib.request import urlopen

# Seconds that anything may take on a busy machine. Only what never happens reaches this limit.
PATIENCE = 300


def wait_until(true: Callable[[], bool], what: str, seconds: float = PATIENCE) -> float:
    """Wait until the condition is true, and return how long it took, in seconds. Raises AssertionError."""
    start = time.monotonic()
    while not true():
        if time.monotonic() - start > seconds:
            raise AssertionError(f"waited {seconds:.0f} s in vain: {what}")
        time.sleep(0.05)
    return time.monotonic() - start


def dispatch_until(true: Callable[[], bool], what: str) -> None:
    """Wait for work of workers, and call the dispatcher every second, as beat would."""
    from archive.tasks import dispatch

    last = float("-inf")

    def sent_round() -> bool:
        nonlocal last
        if time.monotonic() - last > 1:
            dispatch()
            last = time.monotonic()
        return true()

    wait_until(sent_round, what)


def answers(url: str) -> bool:
    try:
        with urlopen(url, timeout=30) as answer:
            return bool(answer.status == 200)
    except (URLError, OSError):
        return False
