"""Classify errors: the file's fault, the machine's fault, or a bug of ours.

A refused recording is deleted, and it may be the only copy. So only FFmpeg's errors about the input and the limits of
this process count against the file. Any other exception is reported as `crashed`, and the upload stays.
"""

import errno
import traceback

import av.error

from archive.errors import Problem, Unreadable, locate, make_problem, shorten
from archive.intake.audio.decoder.formats import NAMES

# FFmpeg lacks a component or an option that our code asks for: no file can cause these.
BAD_BUILD = (
    av.error.BSFNotFoundError,
    av.error.EncoderNotFoundError,
    av.error.FilterNotFoundError,
    av.error.MuxerNotFoundError,
    av.error.OptionNotFoundError,
)
OUT_OF_MEMORY = ("can't start new thread", "could not allocate")  # texts of RuntimeErrors from Python and PyAV
# Raised if our code opens a file, for example to import a module, which confine.py forbids.
OUTSIDE = {errno.EMFILE, errno.EACCES, errno.EPERM, errno.ENOENT, errno.EBADF}


def make_last_line(error: Exception) -> dict[str, object]:
    """Return the last report line for `error` (this package's docstring lists the forms)."""
    if isinstance(error, Unreadable):
        return _refused(error.problem)
    if _is_out_of_memory(error):
        return _refused(make_problem("audio.too_much_memory"))
    if _is_bad_input(error):
        return _refused(make_problem("audio.unreadable", formats=NAMES))
    if isinstance(error, OSError) and error.errno == errno.EFBIG:
        return _refused(make_problem("audio.copy_too_large"))
    if isinstance(error, OSError) and _is_machine_fault(error):
        return {"failed": type(error).__name__, "errno": error.errno}
    return crash(error)


def _refused(problem: Problem) -> dict[str, object]:
    return {"refused": problem["code"], "params": problem["params"]}


def crash(error: Exception) -> dict[str, object]:
    """Return the type and location of an error, without its message, which may quote the recording's tags."""
    return {"crashed": type(error).__name__, "at": locate(error)}


def _is_out_of_memory(error: Exception) -> bool:
    """Return whether RLIMIT_AS was reached: a MemoryError, or a RuntimeError when a thread or buffer did not fit."""
    return isinstance(error, MemoryError) or (
        isinstance(error, RuntimeError) and any(text in str(error).lower() for text in OUT_OF_MEMORY)
    )


def _is_bad_input(error: Exception) -> bool:
    """Return whether FFmpeg can't read the file.

    PyAV raises a plain ValueError for an unknown codec or layout. A ValueError from our own code is a bug.
    """
    if isinstance(error, av.error.FFmpegError):
        return not isinstance(error, BAD_BUILD)
    return isinstance(error, ValueError) and not isinstance(error, OSError) and _is_raised_in_av(error)


def _is_machine_fault(error: OSError) -> bool:
    return error.errno is not None and error.errno not in OUTSIDE and not isinstance(error, av.error.FFmpegError)


def _is_raised_in_av(error: Exception) -> bool:
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    return bool(frames) and shorten(frames[-1].f_code.co_filename).startswith("av/")
