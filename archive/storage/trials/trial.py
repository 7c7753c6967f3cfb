"""What a trial of a store is, and what a rehearsal finds with it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from django.utils.translation import gettext_noop as _

from archive import error_messages
from archive.errors import Problem
from archive.storage.s3 import Store

Run = Callable[[Store, str], Problem]


class Outcome(StrEnum):
    WORKS = "works"
    FALLBACK = "fallback"  # Spacekeep does something else instead
    FAULT = "fault"  # there is no fallback


class NotNeeded(Exception):
    """An earlier trial has already decided this."""


@dataclass(frozen=True)
class Trial:
    """`run` returns {} if it worked, or what the store did instead.

    `label`: what is tried. `fallback`: what Spacekeep does if it does not work; "" if nothing can replace it.
    `changes`: the Capabilities in that case.
    """

    label: str
    run: Run
    fallback: str
    changes: dict[str, object]
    permissions: str  # that the key needs for it, with AWS's names
    remedy: str

    @property
    def name(self) -> str:
        return self.run.__name__.strip("_")


@dataclass(frozen=True)
class Finding:
    """The result of a trial. `problem`: what the store did instead, with its own message. `remedy`: what to do."""

    name: str
    outcome: Outcome
    problem: Problem = field(default_factory=dict)
    remedy: str = ""

    @property
    def problem_text(self) -> str:
        """The sentence of its problem in the current language, "" without one."""
        return error_messages.render(self.problem)

    def for_row(self) -> dict[str, Any]:
        """Return what StoreReport stores: the problem as code and parameters."""
        return {**self.as_json(), "problem": self.problem}

    def as_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "outcome": self.outcome.value,
            "problem": self.problem_text,
            "remedy": self.remedy if self.problem else "",
        }


OBJECTS = "s3:PutObject, s3:GetObject, s3:DeleteObject, s3:AbortMultipartUpload"
LISTINGS = "s3:ListBucket, s3:ListBucketVersions, s3:ListBucketMultipartUploads"
OTHER_STORE = _("Use a store of docs/stores.md, or a newer release of yours.")


class Trials(list[Trial]):
    """Trials of one subject, in order."""

    def trial(
        self, label: str, *, fallback: str = "", permissions: str = OBJECTS, remedy: str = "", **changes: object
    ) -> Callable[[Run], Run]:
        """Decorate the function that runs it."""

        def register(run: Run) -> Run:
            remedy_or_default = remedy or ("" if fallback else OTHER_STORE)
            self.append(Trial(label, run, fallback, changes, permissions, remedy_or_default))
            return run

        return register
