"""Self-tests of a process at its start: a process that can't do its work must not start.

Otherwise a new Python or library, a file missing from the image, a limit of the machine or a wrong key would only show
at the first recording, bundle or deletion. The tests store nothing and need no engine.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from django.conf import settings
from django.core import signing
from django.core.checks import CheckMessage, Error

from archive import signing_keys
from portal.processes import DELETER, TRANSCRIBER, WEB, WORKER


@dataclass(frozen=True)
class SelfTest:
    """`failure` is the message without the reason; `needed_by` names the processes that run the test."""

    id: str
    failure: str
    hint: str
    needed_by: frozenset[str]
    run: Callable[[], None]


# Imported when they run: a command of manage.py runs none.


def decode_recording() -> None:
    from archive.intake.audio import self_test  # noqa: PLC0415

    self_test.run()


def load_model() -> None:
    from archive.intake.transcription import self_test  # noqa: PLC0415

    self_test.run()


def make_page() -> None:
    from archive.display import self_test  # noqa: PLC0415

    self_test.run()


def read_files() -> None:
    from archive.intake import self_test  # noqa: PLC0415

    self_test.run()


def sign_link() -> None:
    signing.loads(signing.dumps("self-test"))


def sign_certificate() -> None:
    signing_keys.self_test(signing_keys.CERTIFICATE, settings.CERTIFICATE_KEY)


def sign_checkpoint() -> None:
    if settings.LOG_KEY:
        signing_keys.self_test(signing_keys.LOG, settings.LOG_KEY)


TESTS = (
    SelfTest(
        "spacekeep.E195",
        "This process can't decode a known recording",
        "Look at SPOOL_DIR and DECODER_MEMORY_BYTES, and at a line decoder_failed before this one.",
        frozenset({WORKER, TRANSCRIBER}),
        decode_recording,
    ),
    SelfTest(
        "spacekeep.E196",
        "This process can't use the model of TRANSCRIPTION_MODEL",
        "Copy the model again, or see which version of CTranslate2 it is for.",
        frozenset({TRANSCRIBER}),
        load_model,
    ),
    SelfTest(
        "spacekeep.E032",
        "The page of a bundle can't be made",
        "Run npm ci --omit=dev and npm run build.",
        frozenset({WEB, WORKER}),
        make_page,
    ),
    SelfTest(
        "spacekeep.E191",
        "This process can't read a known transcript and known tags",
        "Install the packages of requirements/base.txt.",
        frozenset({WEB, WORKER}),
        read_files,
    ),
    SelfTest("spacekeep.E192", "This process can't sign links", "See SECRET_KEY.", frozenset({WEB, WORKER}), sign_link),
    SelfTest(
        "spacekeep.E193",
        "This process can't sign certificates of deletion",
        "docs/security.md says how keys are replaced.",
        frozenset({DELETER}),
        sign_certificate,
    ),
    SelfTest(
        "spacekeep.E194",
        "This process can't sign checkpoints of the log",
        "docs/log.md says how keys are replaced.",
        frozenset({DELETER}),
        sign_checkpoint,
    ),
)


@cache  # a fork of this process can do the same
def failures(*names: str) -> list[CheckMessage]:
    """Return an error for each failed test, of those that processes with these names need."""
    return [error for test in TESTS if test.needed_by & {*names} if (error := _failure(test))]


def _failure(test: SelfTest) -> CheckMessage | None:
    try:
        test.run()
    except Exception as error:  # whatever it is, the process can't do its work
        reason = " ".join(str(error).split()) or type(error).__name__
        return Error(f"{test.failure}: {reason.rstrip('.')}.", hint=test.hint, id=test.id)
    return None
