"""Run the decoder (archive/intake/audio/decoder) in a sandboxed process and validate everything it reports.

Uploads are untrusted, and decoders have security holes. If the process crashes, runs out of memory or time, or writes
garbage, the caller gets Unreadable and continues. If our own code fails, the file is not to blame: the caller gets
DecoderFailed, and the upload stays.
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

from archive import error_messages
from archive.errors import DecoderDied, DecoderFailed, Unreadable

ROOT = Path(__file__).resolve().parents[3]
MAX_REPORT = 2**16  # bytes of all lines: the capacity of a pipe, so that the decoder never blocks on writing them
COPY_BYTES = 2 * 1024**3  # how much larger than the original an access copy may be: a day of stereo has 1.4 GB
PIPE = 2**20  # bytes of buffered samples: more than half a minute
GUARDS = {"limits", "network", "paths"}
# The process gets none of our environment, so no secrets. pydub needs a PATH; without MALLOC_ARENA_MAX, glibc reserves
# 64 MiB for each thread, which counts against the memory limit.
ENV = {"PATH": os.defpath, "MALLOC_ARENA_MAX": "1"}

MAX_PARAMETER = 500  # characters
NOT_CODE = re.compile(r"[^\w./:<> -]", re.ASCII)  # characters that no exception name and no code location has

logger = structlog.get_logger()


class DecoderProcess:
    """A running decoder and the lines it reports."""

    def __init__(self, name: str, process: "subprocess.Popen[bytes]", report_fd: int) -> None:
        self._name, self.process = name, process
        self._report_fd: int | None = report_fd
        self._report_size, self._partial_line = 0, b""
        self.answer: dict[str, Any] = {}

    def wait_for_answer(self, ends_at: float) -> None:
        """Wait until the decoder has closed its report. Raises Unreadable after `ends_at` (monotonic clock), or when
        the decoder refused the file."""
        while self._report_fd is not None:
            self.wait_for(None, ends_at)
        if self._partial_line:
            self._handle_line(self._partial_line)
        self._check_answer(self.answer)

    def wait_for(self, samples_fd: int | None, ends_at: float) -> bool:
        """Wait for samples or a report line. Returns whether samples are ready. Raises Unreadable after `ends_at`."""
        poll = select.poll()
        for fd in (samples_fd, self._report_fd):
            if fd is not None:
                poll.register(fd, select.POLLIN)
        ready = [fd for fd, _ in poll.poll(max(0, ends_at - time.monotonic()) * 1000)]
        if not ready:
            raise self._took_too_long()
        if self._report_fd in ready:
            self._read_report(self._report_fd)
        return samples_fd in ready

    def _read_report(self, report_fd: int) -> None:
        block = os.read(report_fd, 2**16)
        if not block:
            self._report_fd = None
        self._report_size += len(block)
        if self._report_size > MAX_REPORT:
            raise self.broke_off("its report is too long")
        *lines, self._partial_line = (self._partial_line + block).split(b"\n")
        for line in lines:
            self._handle_line(line)

    def _handle_line(self, line: bytes) -> None:
        self.answer = self._parse_line(line)
        if "guards" in self.answer:
            self._warn_of_missing_guards(self.answer["guards"])

    def _parse_line(self, line: bytes) -> dict[str, Any]:
        with contextlib.suppress(ValueError, RecursionError):
            answer = json.loads(line)
            if isinstance(answer, dict):
                return answer
        raise self.broke_off("its report is no JSON object")

    def _warn_of_missing_guards(self, guards: object) -> None:
        missing = GUARDS - {guard for guard in guards if isinstance(guard, str)} if isinstance(guards, list) else GUARDS
        if missing:  # the other guards are in effect
            logger.warning("decoder_unconfined", guards=sorted(missing), hint="the kernel does not allow these here")

    def _check_answer(self, answer: dict[str, Any]) -> None:
        """Raise the error that the last line reports or, without one, that the exit status shows."""
        match answer:
            case {"refused": str(code), "params": dict(params)} if is_known(code, params):
                raise Unreadable.of({"code": code, "params": params}, file=self._name)
            case {"refused": _}:  # a code that lacks a sentence must not reject a recording
                raise failed("it refused for a reason that is not known", "the report")
            case {"failed": _, "errno": int(number)}:  # such as a full disk: the file is not to blame
                raise OSError(number, os.strerror(number), self._name)
            case {"crashed": str(kind), "at": str(place)}:
                raise failed(NOT_CODE.sub("?", kind)[:100], NOT_CODE.sub("?", place)[:300])
            case {"measured": _} | {"done": _}:
                return
        status = self.process.wait()
        if not answer:  # the process has not opened the file yet
            raise failed(f"it does not start: exit status {status}", "the start")
        if status == -signal.SIGXCPU:
            raise self._took_too_long()
        if status == -signal.SIGKILL:
            raise DecoderDied("audio.decoder_killed", file=self._name)
        raise self.broke_off(f"it ended with {status}")

    def _took_too_long(self) -> Unreadable:
        return Unreadable("audio.too_slow", file=self._name, limit=settings.DECODER_SECONDS)

    def broke_off(self, why: str) -> DecoderDied:
        logger.error("decoder_broke_off", why=why)
        return DecoderDied("audio.decoder_broke_off", file=self._name)


def is_known(code: str, params: dict[str, Any]) -> bool:
    """Return whether the catalog has this message about recordings with exactly these parameters."""
    if not code.startswith("audio.") or code not in error_messages.CATALOG:
        return False
    specs = error_messages.placeholders(str(error_messages.CATALOG[code]))
    return params.keys() == specs.keys() and all(_is_sane(params[name], spec) for name, spec in specs.items())


def _is_sane(value: object, spec: str) -> bool:
    if spec:  # a size, a number, a duration
        return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 2**63
    return isinstance(value, str) and len(value) <= MAX_PARAMETER


def failed(why: str, at: str) -> DecoderFailed:
    """Log that our decoder is broken and return the error to raise. The line has nothing from the recording."""
    logger.error("decoder_failed", error=why, at=at)
    return DecoderFailed("audio.decoder_failed", error=why)


@contextlib.contextmanager
def start_decoder(
    path: Path, order: dict[str, Any], *, name: str, access_copy: Path | None = None
) -> Iterator[DecoderProcess]:
    """Start a decoder that runs `order` on the file. The process has ended when the context is left.

    `name` is the file name for messages. `access_copy` is the file for the access copy; it is emptied first. Raises
    Unreadable if `path` is not a regular file, OSError if it can't be opened.
    """
    with contextlib.ExitStack() as stack:
        file = _close_later(stack, _open_file(path, name))
        copy = None
        if access_copy is not None:
            copy = _close_later(stack, os.open(access_copy, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600))
        report_fd, says = os.pipe()
        _close_later(stack, report_fd)
        with os.fdopen(says, "wb"):  # closed here once the child has its own
            process = subprocess.Popen(
                _build_command(order, says, copy, os.fstat(file).st_size),
                stdin=file,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                pass_fds=[says] if copy is None else [says, copy],
                env=ENV,
                cwd=ROOT,
                start_new_session=True,  # Ctrl-C reaches only this process, which then ends the child
            )
        stack.callback(_end, process)
        with contextlib.suppress(OSError):  # the user's pipe limit may be reached; a smaller pipe is only slower
            fcntl.fcntl(process.stdout, fcntl.F_SETPIPE_SZ, PIPE)  # type: ignore[arg-type]
        yield DecoderProcess(name, process, report_fd)


def _close_later(stack: contextlib.ExitStack, fd: int) -> int:
    stack.callback(os.close, fd)
    return fd


def _build_command(order: dict[str, Any], says: int, copy: int | None, file_bytes: int) -> list[str]:
    limits = {
        "memory": settings.DECODER_MEMORY_BYTES,
        "cpu_seconds": settings.DECODER_SECONDS,
        "file_bytes": 0 if copy is None else file_bytes + COPY_BYTES,
    }
    full_order = {**order, "parent": os.getpid(), "says": says, "access_copy": copy, "limits": limits}
    return [sys.executable, "-E", "-s", "-X", "utf8", "-m", "archive.intake.audio.decoder", json.dumps(full_order)]


def _open_file(path: Path, name: str) -> int:
    """Open without blocking, so that a named pipe in place of the file does not stop this process."""
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
