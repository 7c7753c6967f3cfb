"""Forms that count once, however often they are sent.

Each form has a random key. The first submission stores a hash of the key and the content in the transaction of what it
does. An equal one at the same moment waits for that transaction: it does nothing if the first committed, and takes its
place if the first was refused or died. Another content with the same key (Back, edit, send) is another submission.
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
    """A transaction for what the form does; False if an equal submission was counted, so there is nothing to do."""
    with transaction.atomic():
        _, is_first = FormSubmission.objects.get_or_create(user=user, sha256=sha256)
        yield is_first


def delete_old() -> int:
    """Remove submissions that are older than a day. How many."""
    old = FormSubmission.objects.filter(created_at__lt=Now() - KEPT)
    return FormSubmission.objects.filter(pk__in=list(old.values_list("pk", flat=True)[:DELETED_AT_ONCE])).delete()[0]
