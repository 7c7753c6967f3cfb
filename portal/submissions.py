"""The key of a form, and whether the form was sent before."""

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

from archive.submissions import count_once
from portal.http import SignedInRequest

FIELD = "submission"  # the hidden input of {% submission_key %}


@contextmanager
def once(request: SignedInRequest) -> Iterator[bool]:
    """A transaction for what the form of this POST does; False if the same form was counted before. A form without a
    key counts each time."""
    fields = sorted((name, values) for name, values in request.POST.lists() if name != "csrfmiddlewaretoken")
    key = request.POST.get(FIELD) or str(uuid4())
    digest = hashlib.sha256(json.dumps([key, request.path, fields]).encode()).hexdigest()
    with count_once(request.user, digest) as is_first:
        yield is_first
