"""Which error is the file's fault, which is the machine's, and which is a bug of ours.

A recording that is refused is deleted, and it may be the only copy. So only FFmpeg's errors about the input and the
limits of this process count against the file. Any other exception is reported as `crashed`, and the upload stays.
"""

import errno
import traceback
from pathlib import Path

import av.error

from archive.errors import Problem, Unreadable, make_problem
from archive.intake.audio.decoder.formats import NAMES

ROOT = Path(__file__).parents[3]
# FFmpeg lacks a part, or an option, that our code asks for: no file chooses these.
BAD_BUILD = (
    av.error.BSFNotFoundError,
    av.error.EncoderNotFoundError,
    av.error.FilterNotFoundError,
    av.error.MuxerNotFoundError,
    av.error.OptionNotFoundError,
)
NO_ROOM = ("can't start new thread", "could not allocate")  # what a RuntimeError of Python or PyAV has in it
# Our code reached for a file, for a module to import perhaps, after it had given all that up (confine.py).
OUTSIDE = {errno.EMFILE, errno.EACCES, errno.EPERM, errno.ENOENT, errno.EBADF}
FRAMES = 3


def last_line(error: Exception) -> dict[str, object]:
    """What the process answers when `error` ended it (the forms are in this package's docstring)."""
    if isinstance(error, Unreadable):
        return _refused(error.problem)
    if _is_out_of_memory(error):
        return _refused(make_problem("audio.too_much_memory"))
    if _is_bad_input(error):
        return _refused(make_problem("audio.unreadable", formats=NAMES))
    if isinstance(error, OSError) and error.errno == errno.EFBIG:
        return _refused(make_problem("audio.copy_too_large"))
    if isinstance(error, OSError) and _is_the_machines_fault(error):
        return {"failed": type(error).__name__, "errno": error.errno}
    return crash(error)


def _refused(problem: Problem) -> dict[str, object]:
    return {"refused": problem["code"], "params": problem["params"]}


def crash(error: Exception) -> dict[str, object]:
    """The type and the place of an error. Without its message, which may quote the recording's tags."""
    return {"crashed": type(error).__name__, "at": location(error)}


def location(error: BaseException) -> str:
    """The innermost lines of code: "archive/intake/audio/decoder/decode.py:79 > av/container/core.py:494"."""
    places = [(_short(frame.f_code.co_filename), line) for frame, line in traceback.walk_tb(error.__traceback__)]
    return " > ".join([f"{file}:{line}" for file, line in places if not file.startswith("<frozen ")][-FRAMES:])


def _is_out_of_memory(error: Exception) -> bool:
    """RLIMIT_AS was reached: a MemoryError, or a RuntimeError where a thread or a buffer did not fit."""
    return isinstance(error, MemoryError) or (
        isinstance(error, RuntimeError) and any(words in str(error).lower() for words in NO_ROOM)
    )


def _is_bad_input(error: Exception) -> bool:
    """FFmpeg can't read the file. PyAV raises a plain ValueError for an unknown codec or layout; one that our own code
    raised is a bug."""
    if isinstance(error, av.error.FFmpegError):
        return not isinstance(error, BAD_BUILD)
    return isinstance(error, ValueError) and not isinstance(error, OSError) and _is_raised_in_av(error)


def _is_the_machines_fault(error: OSError) -> bool:
    return error.errno is not None and error.errno not in OUTSIDE and not isinstance(error, av.error.FFmpegError)


def _is_raised_in_av(error: Exception) -> bool:
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    return bool(frames) and _short(frames[-1].f_code.co_filename).startswith("av/")


def _short(file: str) -> str:
    """Compiled modules name their file as it was in their source: av/container/core.py."""
    return file.removeprefix(f"{ROOT}/").rpartition("site-packages/")[2]
