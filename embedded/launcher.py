"""Exec another program, which ends when its parent process does, as a user that PostgreSQL accepts.

Run as a script by `embedded.process`, with only the standard library, so that it starts in about 15 ms:

    python -I -S launcher.py --parent PID [--death-signal N] [--namespace UID | --user UID:GID] -- PROGRAM ARG...

The order matters: the kernel clears the death signal when a process changes its credentials, so those change first.
"""

import argparse
import ctypes
import os
import sys
from pathlib import Path

CLONE_NEWUSER = 0x10000000
PR_SET_PDEATHSIG = 1


def enter_namespace(uid: int) -> None:
    """Map the current user id to `uid`, and the group id to the same number, in a new user namespace.

    Outside the namespace nothing changes: files keep their owner and permissions. Raises OSError if it is refused.
    """
    outer_uid, outer_gid = os.geteuid(), os.getegid()
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWUSER) != 0:
        raise OSError(ctypes.get_errno(), "unshare(CLONE_NEWUSER) refused")
    for name, line in (
        ("setgroups", "deny"),  # the kernel wants this before an unprivileged gid_map: user_namespaces(7)
        ("uid_map", f"{uid} {outer_uid} 1"),
        ("gid_map", f"{uid} {outer_gid} 1"),
    ):
        Path(f"/proc/self/{name}").write_text(line)


def become(uid: int, gid: int) -> None:
    """Drop root privileges permanently."""
    os.setgroups([])
    os.setgid(gid)
    os.setuid(uid)


def die_with_parent(parent: int, signal_number: int) -> None:
    """Have Linux send `signal_number` when the parent ends. On other systems only the supervisor stops this process."""
    if sys.platform != "linux":
        return
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal_number)
    if os.getppid() != parent:  # it ended before the request
        sys.exit(1)


def main(arguments: list[str]) -> None:
    split = arguments.index("--")
    program = arguments[split + 1 :]
    parser = argparse.ArgumentParser()
    parser.add_argument("--parent", type=int, required=True)
    parser.add_argument("--death-signal", type=int, default=0)
    parser.add_argument("--namespace", type=int)
    parser.add_argument("--user")
    options = parser.parse_args(arguments[:split])
    if options.namespace is not None:
        enter_namespace(options.namespace)
    if options.user:
        uid, gid = options.user.split(":")
        become(int(uid), int(gid))
    if options.death_signal:
        die_with_parent(options.parent, options.death_signal)
    os.execv(program[0], program)


if __name__ == "__main__":
    main(sys.argv[1:])
