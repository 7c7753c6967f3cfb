"""Forms that take effect only once, even if they are sent repeatedly, by a key in a hidden input."""

import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

from archive.errors import Refused
from archive.submissions import count_once
from portal.forms.base import PortalForm
from portal.http import SignedInRequest

FIELD = "submission"  # the hidden input of {% submission_key %}


@contextmanager
def once(request: SignedInRequest) -> Iterator[bool]:
    """Open a transaction for the action of this POST; yields False if the same form was handled before. A form without
    a key is handled each time."""
    fields = sorted((name, values) for name, values in request.POST.lists() if name != "csrfmiddlewaretoken")
    key = request.POST.get(FIELD) or str(uuid4())
    digest = hashlib.sha256(json.dumps([key, request.path, fields]).encode()).hexdigest()
    with count_once(request.user, digest) as is_first:
        yield is_first


def submit(
    request: SignedInRequest, form: PortalForm, act: Callable[[dict[str, Any]], object], *, section: str = ""
) -> bool:
    """Run `act` with the cleaned data of a valid form, once. If the form is invalid or `act` raises Refused, show the
    problems above the page or in a section of it, and return False."""
    try:
        if form.is_valid():
            with once(request) as is_first:
                if is_first:
                    act(form.cleaned_data)
    except Refused as error:
        form.add_error(None, str(error))
    form.show_problems(request, section=section)
    return not form.errors
