from django.conf import settings
from django.db import models
from django.db.models.functions import Now

from archive.models.space import Space


class ReviewClaim(models.Model):
    """An admin is reviewing a Space. It counts until `lease_until`; the page that is open renews it.

    `fence` counts the pages that claimed it, so that a page that closes does not end the claim of a newer one.
    """

    # Without a constraint in the database: an insert would wait for a transaction that has the Space's row locked.
    space = models.OneToOneField(
        Space, primary_key=True, on_delete=models.CASCADE, db_constraint=False, related_name="review_claim"
    )
    admin = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    claimed_at = models.DateTimeField(db_default=Now(), editable=False)
    lease_until = models.DateTimeField()
    fence = models.PositiveBigIntegerField(default=1)

    def __str__(self) -> str:
        return f"{self.space_id} by {self.admin_id}"
