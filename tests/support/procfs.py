"""Read processes and their listening sockets from /proc."""

import contextlib
import os
import socket
from collections.abc import Iterable
from pathlib import Path

LISTENS = "0A"


def children(pid: int | None = None) -> set[int]:
    """Return the pids of the children of `pid`, by default of this process. Raises FileNotFoundError if it has ended.

    A thread that ends while we read is skipped: its children then belong to another thread of the process.
    """
    pids: set[int] = set()
    for task in Path(f"/proc/{pid or os.getpid()}/task").iterdir():
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            pids |= {int(child) for child in (task / "children").read_text().split()}
    return pids


def process_tree(pid: int) -> set[int]:
    """Return the pids of a process and its descendants. Those that end while we read are skipped."""
    pids, open_ends = {pid}, [pid]
    while open_ends:
        try:
            new = children(open_ends.pop()) - pids
        except (FileNotFoundError, ProcessLookupError):
            continue
        pids |= new
        open_ends += new
    return pids


def decoder_pid() -> int:
    """Return the pid of the only audio decoder among the children of this process."""
    (decoder,) = (
        pid for pid in children() if b"archive.intake.audio.decoder" in Path(f"/proc/{pid}/cmdline").read_bytes()
    )
    return decoder


def read_words(pid: int, name: str) -> list[str]:
    """Return the words of /proc/<pid>/<name>: `cmdline` or `environ`. Empty if it has ended or is another user's."""
    try:
        return Path(f"/proc/{pid}/{name}").read_text(errors="replace").split("\0")
    except OSError:
        return []


def has_ended(pid: int) -> bool:
    """Return whether the process has ended, reaped or not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return True


def listening_sockets(pids: Iterable[int]) -> set[tuple[str, int]]:
    """Return the addresses and ports, IPv4 and IPv6, on which the processes accept TCP connections."""
    inodes = {inode for pid in pids for inode in _sockets(pid)}
    addresses = set()
    for table, kind in (("tcp", socket.AF_INET), ("tcp6", socket.AF_INET6)):
        path = Path("/proc/net", table)
        for line in path.read_text().splitlines()[1:] if path.exists() else []:
            fields = line.split()
            if fields[3] == LISTENS and fields[9] in inodes:
                address, port = fields[1].split(":")
                addresses.add((_address(kind, address), int(port, 16)))
    return addresses


def _sockets(pid: int) -> list[str]:
    """Return the inode numbers of a process's sockets, or an empty list if it has ended."""
    try:
        descriptors = list(Path(f"/proc/{pid}/fd").iterdir())
    except OSError:
        if _ended(pid):
            return []
        raise
    inodes = []
    for descriptor in descriptors:
        with contextlib.suppress(OSError):  # it was closed after iterdir
            target = str(descriptor.readlink())
            if target.startswith("socket:["):
                inodes.append(target[8:-1])
    return inodes


def _ended(pid: int) -> bool:
    """Return whether the process is gone or a zombie, whose descriptors cannot be read."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def _address(kind: socket.AddressFamily, digits: str) -> str:
    """Decode an address: the kernel writes 32-bit words in native byte order, little-endian on our platforms."""
    words = bytes.fromhex(digits)
    return socket.inet_ntop(kind, b"".join(words[i : i + 4][::-1] for i in range(0, len(words), 4)))
