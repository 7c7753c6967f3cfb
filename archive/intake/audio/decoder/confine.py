"""Giving up what listening does not need. Once given up it can't be had back, whatever runs in this process afterwards.

- its parent: when that dies, however it dies, so does this process
- memory, CPU time, the size of what it writes: limits; no core dump
- files and sockets: no descriptor can be opened any more, so what it was given is all it has (NOFILE of 0)
- privileges: none can be gained (no_new_privs)
- network: it stands in a network of its own without any interface, where the kernel lets it
- paths: none can be opened, made or run (Landlock), where the kernel has that

The last two are the second lock on a door: the first (NOFILE) holds on every Linux. `confine` says which hold.
"""

import ctypes
import os
import resource
import signal
import struct
import sys
from contextlib import suppress
from pathlib import Path

libc = ctypes.CDLL(None, use_errno=True)

PR_SET_PDEATHSIG, PR_SET_NO_NEW_PRIVS = 1, 38  # linux/prctl.h
CLONE_NEWUSER, CLONE_NEWNET = 0x10000000, 0x40000000  # linux/sched.h
LANDLOCK_CREATE_RULESET, LANDLOCK_RESTRICT_SELF = 444, 446  # the same number on every architecture
LANDLOCK_CREATE_RULESET_VERSION = 1


def end_with(parent: int) -> None:
    """Have the kernel kill this process when `parent` ends. If it ended before we asked, end now."""
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        sys.exit("the one who asked is gone")


def confine(*, parent: int, memory: int, cpu_seconds: int, file_bytes: int) -> list[str]:
    """Returns the names of the guards that hold. Everything that will be imported must have been."""
    with suppress(OSError):  # if memory runs out on this machine, this process goes first, not the worker
        Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")
    libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    guards = ["limits"]
    if libc.unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0 or libc.unshare(CLONE_NEWNET) == 0:
        guards.append("network")
    end_with(parent)  # again: a change of credentials may have forgotten it
    if _no_paths():
        guards.append("paths")
    _limit(resource.RLIMIT_AS, memory)
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_CPU, cpu_seconds, cpu_seconds + 1)  # SIGXCPU says why; a second later comes SIGKILL
    _limit(resource.RLIMIT_FSIZE, file_bytes)
    _limit(resource.RLIMIT_NOFILE, 0)
    return guards


def _limit(kind: int, most: int, at_last: int | None = None) -> None:
    """Lower a limit, never raise it: the operator may have set a lower one."""
    _, hard = resource.getrlimit(kind)
    ceiling = sys.maxsize if hard == resource.RLIM_INFINITY else hard
    resource.setrlimit(kind, (min(most, ceiling), min(at_last or most, ceiling)))


def _no_paths() -> bool:
    """A Landlock domain that handles every right there is and grants none (Linux 5.13 and later)."""
    version = libc.syscall(LANDLOCK_CREATE_RULESET, None, 0, LANDLOCK_CREATE_RULESET_VERSION)
    if version < 1:
        return False
    rights = {1: 13, 2: 14, 3: 15, 4: 15}.get(version, 16)  # how many the kernel knows: linux/landlock.h
    files, net, scope = (1 << rights) - 1, 0b11 if version >= 4 else 0, 0b11 if version >= 6 else 0
    attributes = struct.pack("QQQ", files, net, scope)[: 8 if version < 4 else 16 if version < 6 else 24]
    ruleset = libc.syscall(LANDLOCK_CREATE_RULESET, attributes, len(attributes), 0)
    if ruleset < 0:
        return False
    try:
        return bool(libc.syscall(LANDLOCK_RESTRICT_SELF, ruleset, 0) == 0)
    finally:
        os.close(ruleset)
