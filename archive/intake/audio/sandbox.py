"""Running the program that listens (archive/intake/audio/decoder), and believing nothing that it says unseen.

What it reads was made by strangers, and decoders have holes. So whatever becomes of the child (it crashes, runs out of
memory or time, writes rubbish or without end), the one who asked gets Unreadable and goes on. A bug of ours is not the
file's fault: then it is DecoderFailed.
"""

import contextlib
import errno
import fcntl
import json
import os
import re
import select
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import structlog
from django.conf import settings

from archive import messages
from archive.errors import DecoderDied, DecoderFailed, Unreadable

ROOT = Path(__file__).resolve().parents[3]
MOST_SAID = 2**16  # bytes, all lines together: as much as a pipe holds, so that it never waits for us to read them
COPY_BYTES = 2 * 1024**3  # what a copy for browsers may have more than the original: a day of stereo has 1.4 GB
PIPE = 2**20  # bytes of sound that may wait: half a minute and more
GUARDS = {"limits", "network", "paths"}
# Nothing of ours, secrets least of all. pydub wants a PATH to look along; and each thread's own pool of memory (glibc)
# would be counted as 64 MiB of the limit.
ENV = {"PATH": os.defpath, "MALLOC_ARENA_MAX": "1"}

MOST_TEXT = 500  # characters of a parameter
NOT_CODE = re.compile(r"[^\w./:<> -]", re.ASCII)  # what names no exception and no line of code

logger = structlog.get_logger()


class DecoderProcess:
    """A running child, and its story."""

    def __init__(self, name: str, process: "subprocess.Popen[bytes]", says: int) -> None:
        self._name, self.process = name, process
        self._says: int | None = says
        self._said, self._half = 0, b""
        self.answer: dict[str, Any] = {}

    def listen(self, ends_at: float) -> None:
        """Wait for its answer, all that it says. Raises Unreadable when it is not there in time (of the monotonic
        clock), or when it is a refusal."""
        while self._says is not None:
            self.wait_for(None, ends_at)
        if self._half:
            self._take_in(self._half)
        self._judge(self.answer)

    def wait_for(self, sound: int | None, ends_at: float) -> bool:
        """Whether there is something to read from this descriptor; otherwise it said something. Raises Unreadable
        when there is nothing in time."""
        poll = select.poll()
        for fd in (sound, self._says):
            if fd is not None:
                poll.register(fd, select.POLLIN)
        ready = [fd for fd, _ in poll.poll(max(0, ends_at - time.monotonic()) * 1000)]
        if not ready:
            raise self._took_too_long()
        if self._says in ready:
            self._hear(self._says)
        return sound in ready

    def _hear(self, says: int) -> None:
        block = os.read(says, 2**16)
        if not block:
            self._says = None
        self._said += len(block)
        if self._said > MOST_SAID:
            raise self.broke_off("it said too much")
        *lines, self._half = (self._half + block).split(b"\n")
        for line in lines:
            self._take_in(line)

    def _take_in(self, line: bytes) -> None:
        self.answer = self._understood(line)
        if "guards" in self.answer:
            self._look_at(self.answer["guards"])

    def _understood(self, line: bytes) -> dict[str, Any]:
        with contextlib.suppress(ValueError, RecursionError):
            told = json.loads(line)
            if isinstance(told, dict):
                return told
        raise self.broke_off("it said what nobody understands")

    def _look_at(self, guards: object) -> None:
        missing = GUARDS - {guard for guard in guards if isinstance(guard, str)} if isinstance(guards, list) else GUARDS
        if missing:  # the others hold all the same
            logger.warning("decoder_unconfined", guards=sorted(missing), hint="the kernel does not allow these here")

    def _judge(self, answer: dict[str, Any]) -> None:
        """Raises what the last line means, or how it ended without one."""
        match answer:
            case {"refused": str(code), "params": dict(params)} if _is_known(code, params):
                raise Unreadable.of({"code": code, "params": params}, file=self._name)
            case {"failed": _, "errno": int(number)}:  # a full disk, say: the file is not to blame
                raise OSError(number, os.strerror(number), self._name)
            case {"crashed": str(kind), "at": str(place)}:
                raise failed(NOT_CODE.sub("?", kind)[:100], NOT_CODE.sub("?", place)[:300])
            case {"measured": _} | {"done": _}:
                return
        ended = self.process.wait()
        if not answer:  # it has not looked at the file yet
            raise failed(f"it does not start: exit status {ended}", "the start")
        if ended == -signal.SIGXCPU:
            raise self._took_too_long()
        if ended == -signal.SIGKILL:
            raise DecoderDied("audio.decoder_killed", file=self._name)
        raise self.broke_off(f"it ended with {ended}")

    def _took_too_long(self) -> Unreadable:
        return Unreadable("audio.too_slow", file=self._name, limit=settings.DECODER_SECONDS)

    def broke_off(self, why: str) -> DecoderDied:
        logger.error("decoder_broke_off", why=why)
        return DecoderDied("audio.decoder_broke_off", file=self._name)


def _is_known(code: str, params: dict[str, Any]) -> bool:
    """Whether these are the code and the parameters of a refusal, and no more."""
    if not code.startswith("audio.") or code not in messages.CATALOG:
        return False
    specs = messages.placeholders(str(messages.CATALOG[code]))
    return params.keys() == specs.keys() and all(_is_sane(params[name], spec) for name, spec in specs.items())


def _is_sane(value: object, spec: str) -> bool:
    if spec:  # a size, a number, a duration
        return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 2**63
    return isinstance(value, str) and len(value) <= MOST_TEXT


def failed(why: str, at: str) -> DecoderFailed:
    """Log that our decoder does not work, in one line and without a word of the recording. To be raised."""
    logger.error("decoder_failed", error=why, at=at)
    return DecoderFailed("audio.decoder_failed", error=why)


@contextlib.contextmanager
def started(path: Path, order: dict[str, Any], *, name: str, listening: Path | None = None) -> Iterator[DecoderProcess]:
    """A child that carries out `order` with the file. It has ended when this is left, whatever happened.

    `name`: what people call it. `listening`: the file for its copy, emptied first. Raises Unreadable for what is no
    file, OSError for what can't be opened.
    """
    with contextlib.ExitStack() as stack:
        file = _keep(stack, _open_file(path, name))
        copy = None
        if listening is not None:
            copy = _keep(stack, os.open(listening, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600))
        hears, says = os.pipe()
        _keep(stack, hears)
        with os.fdopen(says, "wb"):  # ours is closed once the child has its own
            process = subprocess.Popen(
                _command(order, says, copy, os.fstat(file).st_size),
                stdin=file,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                pass_fds=[says] if copy is None else [says, copy],
                env=ENV,
                cwd=ROOT,
                start_new_session=True,  # Ctrl-C is for us; we end it
            )
        stack.callback(_end, process)
        with contextlib.suppress(OSError):  # a user may have only so much; then they wait for each other more often
            fcntl.fcntl(process.stdout, fcntl.F_SETPIPE_SZ, PIPE)  # type: ignore[arg-type]
        yield DecoderProcess(name, process, hears)


def _keep(stack: contextlib.ExitStack, fd: int) -> int:
    stack.callback(os.close, fd)
    return fd


def _command(order: dict[str, Any], says: int, copy: int | None, file_bytes: int) -> list[str]:
    limits = {
        "memory": settings.DECODER_MEMORY_BYTES,
        "cpu_seconds": settings.DECODER_SECONDS,
        "file_bytes": 0 if copy is None else file_bytes + COPY_BYTES,
    }
    whole = {**order, "parent": os.getpid(), "says": says, "listening": copy, "limits": limits}
    return [sys.executable, "-E", "-s", "-X", "utf8", "-m", "archive.intake.audio.decoder", json.dumps(whole)]


def _open_file(path: Path, name: str) -> int:
    """Not blocking: whatever was put there, a pipe for example, must not hold us up."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        if error.errno == errno.ENXIO:  # a socket
            raise Unreadable("audio.not_a_file", file=name) from error
        raise
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        raise Unreadable("audio.not_a_file", file=name)
    return fd


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.kill()
    if process.stdout is not None:
        process.stdout.close()
    process.wait()
