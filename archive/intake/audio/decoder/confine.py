"""Give up every right that decoding does not need. No code in this process can regain one.

- parent: the kernel kills this process when its parent dies
- memory, CPU time, file size: limits; no core dumps
- files and sockets: no new descriptors (RLIMIT_NOFILE of 0), so the process has only those it was started with
- privileges: none can be gained (no_new_privs)
- network: a network namespace without interfaces, where the kernel allows it
- paths: none can be opened, created or executed (Landlock), where the kernel has it

The last two are a second barrier: RLIMIT_NOFILE works on every Linux. `confine` returns the guards in effect.
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
    """Have the kernel kill this process when `parent` ends. Exits at once if the parent has ended already."""
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        sys.exit("the parent process has ended")


def confine(*, parent: int, memory: int, cpu_seconds: int, file_bytes: int) -> list[str]:
    """Confine this process and return the guards in effect. Nothing can be imported afterwards."""
    with suppress(OSError):  # if the machine runs out of memory, the kernel kills this process, not the worker
        Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")
    libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    guards = ["limits"]
    if libc.unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0 or libc.unshare(CLONE_NEWNET) == 0:
        guards.append("network")
    end_with(parent)  # again, because a change of credentials resets it
    if _forbid_paths():
        guards.append("paths")
    _limit(resource.RLIMIT_AS, memory)
    _limit(resource.RLIMIT_CORE, 0)
    _limit(
        resource.RLIMIT_CPU, cpu_seconds, cpu_seconds + 1
    )  # SIGXCPU tells the reason; SIGKILL follows a second later
    _limit(resource.RLIMIT_FSIZE, file_bytes)
    _limit(resource.RLIMIT_NOFILE, 0)
    return guards


def _limit(kind: int, soft: int, hard: int | None = None) -> None:
    """Lower a limit, never raise it: the operator may have set a lower one."""
    _, current = resource.getrlimit(kind)
    ceiling = sys.maxsize if current == resource.RLIM_INFINITY else current
    resource.setrlimit(kind, (min(soft, ceiling), min(hard or soft, ceiling)))


def _forbid_paths() -> bool:
    """Enter a Landlock domain that grants no rights (Linux 5.13 and later). Returns whether the kernel has Landlock."""
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
