"""Check errors by their code, so that tests do not depend on their messages."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from archive.errors import SpacekeepError


@contextmanager
def raises_error(kind: type[SpacekeepError], code: str, **params: Any) -> Iterator[None]:
    """Check that the block raises an error of this class and code, with at least these parameters."""
    with pytest.raises(kind) as raised:
        yield
    error = raised.value
    assert (error.code, {name: error.params.get(name) for name in params}) == (code, params)
