from django.conf import settings
from django.db import models
from django.db.models.functions import Now

from archive.models.space import Space


class ReviewClaim(models.Model):
    """An admin is reviewing a Space. Valid until `lease_until`; the admin's open page renews it.

    `fence` counts the pages that claimed it, so that closing an old page does not end the claim of a newer one.
    """

    # No constraint in the database: an insert would wait for a transaction that has locked the Space's row.
    space = models.OneToOneField(
        Space, primary_key=True, on_delete=models.CASCADE, db_constraint=False, related_name="review_claim"
    )
    admin = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    claimed_at = models.DateTimeField(db_default=Now(), editable=False)
    lease_until = models.DateTimeField()
    fence = models.PositiveBigIntegerField(default=1)

    def __str__(self) -> str:
        return f"{self.space_id} by {self.admin_id}"
