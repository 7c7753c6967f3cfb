"""Tests ask for the code of a refusal, not for its sentence."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from archive.errors import SpacekeepError


@contextmanager
def raises_error(kind: type[SpacekeepError], code: str, **params: Any) -> Iterator[None]:
    """The block raises an error of this kind and code, with at least these parameters."""
    with pytest.raises(kind) as raised:
        yield
    error = raised.value
    assert (error.code, {name: error.params.get(name) for name in params}) == (code, params)
