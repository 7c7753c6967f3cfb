"""The processes below one, as /proc tells them."""

import os
from pathlib import Path


def children(pid: int | None = None) -> set[int]:
    """The pids of the children, of this process if none is named."""
    tasks = Path(f"/proc/{pid or os.getpid()}/task")
    return {int(child) for task in tasks.iterdir() for child in (task / "children").read_text().split()}


def family(pid: int) -> set[int]:
    """A process and all below it. Who ends meanwhile is left out."""
    found, open_ends = {pid}, [pid]
    while open_ends:
        try:
            new = children(open_ends.pop()) - found
        except (FileNotFoundError, ProcessLookupError):
            continue
        found |= new
        open_ends += new
    return found


def listener() -> int:
    """The one child of this process that listens to a recording."""
    (found,) = (
        pid for pid in children() if b"archive.intake.audio.decoder" in Path(f"/proc/{pid}/cmdline").read_bytes()
    )
    return found


def ended(pid: int) -> bool:
    """Whether it runs no more, be there somebody to take notice of it or not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return True
