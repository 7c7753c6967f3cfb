from django.conf import settings
from django.db import models
from django.db.models.functions import Now


class FormSubmission(models.Model):
    """A form that a user sent, so that a double click or a retry counts once. Kept for a day."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    sha256 = models.CharField(max_length=64, help_text="SHA-256 (hex) of the form's key, address and content.")
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [models.UniqueConstraint(name="form_submission_once", fields=["user", "sha256"])]

    def __str__(self) -> str:
        return self.sha256
