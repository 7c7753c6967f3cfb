"""Read secrets from a file, or from the output of a program (of a secret manager, say).

The program prints the key; external signers are not supported. Certificates are signed inside the transaction of a
deletion, so a signer that is down would stop deletions half way. A key that is read once, when a process starts, can't
fail later.
"""

import os
import shlex
import signal
import stat
import subprocess
from contextlib import suppress
from pathlib import Path

COMMAND_SECONDS = 30
MAX_BYTES = 64 * 1024  # of a secret
MOUNTED = Path("/run/secrets")  # secrets of containers: readable for all users of the container
REMEDY = "Run it by hand, as the user of this process: it prints the value and nothing else, and ends with status 0."


class SecretUnreadable(Exception):
    """The secret could not be read. `reason` is the rest of a sentence, `remedy` a whole one. Neither contains any part
    of a secret."""

    def __init__(self, reason: str, remedy: str) -> None:
        super().__init__(reason)
        self.reason, self.remedy = reason, remedy


def read_file(path: Path) -> str:
    """Return the text in the file. Raises SecretUnreadable."""
    try:
        return path.read_text()
    except OSError as error:
        raise SecretUnreadable(f"can't be read: {error.strerror}", f"It is {path}.") from None
    except UnicodeDecodeError:
        raise SecretUnreadable("can't be read: it is no text", f"It is {path}.") from None


def run_command(line: str) -> str:
    """Return the output of the program. `line` is its path and arguments, quoted as for a shell, but no shell is used.
    The program inherits the environment, and has COMMAND_SECONDS. Raises SecretUnreadable."""
    try:
        arguments = shlex.split(line)
        program = subprocess.Popen(
            arguments,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # it might repeat the secret
            start_new_session=True,
        )
    except ValueError:
        raise SecretUnreadable("can't be read as a command: a quotation mark is not closed", REMEDY) from None
    except OSError as error:
        raise SecretUnreadable(f"can't be started: {error.strerror}", f"The program is {arguments[0]}.") from None
    try:
        printed, _ = program.communicate(timeout=COMMAND_SECONDS)
    except subprocess.TimeoutExpired:
        raise SecretUnreadable(f"did not end within {COMMAND_SECONDS} seconds", REMEDY) from None
    finally:
        _end(program)
    if program.returncode:
        raise SecretUnreadable(f"failed with {_status(program.returncode)}", REMEDY)
    return _text(printed)


def is_open_to_others(path: Path) -> bool:
    """Whether every user of this machine can read the file. False for the secrets folder of containers, which have no
    other users."""
    path = path.resolve()
    if path.is_relative_to(MOUNTED):
        return False
    try:
        folders_are_open = all(folder.stat().st_mode & stat.S_IXOTH for folder in path.parents)
        return folders_are_open and bool(path.stat().st_mode & stat.S_IROTH)
    except OSError:
        return False


def _end(program: subprocess.Popen[bytes]) -> None:
    """Kill the program and its children, which may hold the pipe open."""
    with suppress(ProcessLookupError):
        os.killpg(program.pid, signal.SIGKILL)
    if program.stdout:
        program.stdout.close()
    program.wait()


def _status(code: int) -> str:
    return f"exit status {code}" if code > 0 else f"signal {signal.Signals(-code).name}"


def _text(printed: bytes) -> str:
    if len(printed) > MAX_BYTES:
        raise SecretUnreadable(f"printed more than {MAX_BYTES // 1024} KiB", REMEDY)
    try:
        text = printed.decode().strip()
    except UnicodeDecodeError:
        text = ""
    if not text:
        raise SecretUnreadable("printed no text", REMEDY)
    return text
