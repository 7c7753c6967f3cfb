"""Count a form once, however often it is sent.

Each form has a random key. The first submission stores a hash of the key and the content, in the transaction of its
action. A second, equal one waits for that transaction: it does nothing if the first one committed, and replaces it if
the first was refused or died. Other content with the same key (Back, edit, send) is another submission.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from django.db import transaction
from django.db.models.functions import Now

from archive.models import FormSubmission, User

KEPT = timedelta(days=1)
DELETED_AT_ONCE = 10_000


@contextmanager
def count_once(user: User, sha256: str) -> Iterator[bool]:
    """Open a transaction for the form's action. Yields False if an equal submission was counted: then do nothing."""
    with transaction.atomic():
        _, is_first = FormSubmission.objects.get_or_create(user=user, sha256=sha256)
        yield is_first


def delete_old() -> int:
    """Delete submissions that are older than a day. Returns how many."""
    old = FormSubmission.objects.filter(created_at__lt=Now() - KEPT)
    return FormSubmission.objects.filter(pk__in=list(old.values_list("pk", flat=True)[:DELETED_AT_ONCE])).delete()[0]
