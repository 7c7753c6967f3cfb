from django.db import models

from archive import error_messages
from archive.errors import Problem


class Leased(models.Model):
    """A row that workers claim: lease, fence, attempts and retries (archive/leases.py)."""

    state: "models.CharField[str, str]"
    attempts = models.PositiveIntegerField(default=0, help_text="Counted when claimed, so that a crash counts too.")
    unforeseen = models.PositiveIntegerField(
        default=0, help_text="Attempts that crashed, or ended with an unexpected error."
    )
    fence = models.PositiveBigIntegerField(
        default=0, help_text="Incremented at each claim; writes of a claim require it."
    )
    lease_until = models.DateTimeField(null=True, blank=True, help_text="When the claim ends.")
    retry_at = models.DateTimeField(null=True, blank=True, help_text="No retry before this time.")
    problem: "models.JSONField[Problem, Problem]" = models.JSONField(
        default=dict,
        blank=True,
        help_text="Why the last attempt failed: a code of archive/error_messages and its parameters.",
    )
    reported_cause = models.CharField(
        max_length=200,
        blank=True,
        default="",
        db_default="",
        help_text="Why it is retried, as the log of a process has it (archive/work_log.py).",
    )
    reported_at = models.DateTimeField(null=True, blank=True, help_text="When that line was written.")

    class Meta:
        abstract = True

    @property
    def problem_code(self) -> str:
        """The code of the problem of the last attempt; "" if it succeeded."""
        return str(self.problem.get("code", ""))

    @property
    def problem_text(self) -> str:
        """The problem of the last attempt as a sentence; "" if it succeeded."""
        return error_messages.render(self.problem)
