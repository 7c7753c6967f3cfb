from django.db import models

from archive import messages
from archive.errors import Problem


class Leased(models.Model):
    """The fields by which a row is work: who has it, until when, and how often it was tried (archive/leases.py)."""

    state: "models.CharField[str, str]"
    attempts = models.PositiveIntegerField(default=0, help_text="Counted at the claim, so that a crash counts too.")
    fence = models.PositiveBigIntegerField(default=0, help_text="Rises at each claim; later writes carry it.")
    lease_until = models.DateTimeField(null=True, blank=True, help_text="Until when the claim holds.")
    retry_at = models.DateTimeField(null=True, blank=True, help_text="Not to be tried again before.")
    problem: "models.JSONField[Problem, Problem]" = models.JSONField(
        default=dict,
        blank=True,
        help_text="Why the last attempt failed: a code of archive/messages and its parameters.",
    )

    class Meta:
        abstract = True

    @property
    def problem_code(self) -> str:
        """Why the last attempt failed, for programs; "" if it did not."""
        return str(self.problem.get("code", ""))

    @property
    def problem_text(self) -> str:
        """Why the last attempt failed, for people; "" if it did not."""
        return messages.render(self.problem)
