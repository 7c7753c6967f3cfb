"""Entries are hashed as canonical JSON (RFC 8785), which has one form for each value."""

from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from archive.log.leaf import MAX_INTEGER, canonical

numbers = st.integers(-MAX_INTEGER, MAX_INTEGER) | st.floats(allow_nan=False, allow_infinity=False)
values = st.recursive(
    st.none() | st.booleans() | numbers | st.text(st.characters(codec="utf-8")),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(codec="utf-8"), max_size=4), inner),
    max_leaves=20,
)


@given(values)
def test_the_form_is_that_of_the_reference(value: Any) -> None:
    assert canonical(value) == rfc8785.dumps(value)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"b": 1, "a": [True, None, "\u20ac"]}, '{"a":[true,null,"\u20ac"],"b":1}'),
        ('\x00\x1f\x7f"\\/\b\f\n\r\t\u2028', '"\\u0000\\u001f\x7f\\"\\\\/\\b\\f\\n\\r\\t\u2028"'),
        ({"\ufb33": 1, "\U0001f600": 2}, '{"\U0001f600":2,"\ufb33":1}'),  # sorted by UTF-16 code units
        ([1e21, 1.0, 0.000001, -0.0, 333333333.33333329], "[1e+21,1,0.000001,0,333333333.3333333]"),
        ((1, 2), "[1,2]"),
    ],
)
def test_known_forms(value: Any, expected: str) -> None:
    assert canonical(value) == expected.encode()


@pytest.mark.parametrize("value", [MAX_INTEGER + 1, -MAX_INTEGER - 1, float("nan"), [float("inf")], "\ud800", {1: 2}])
def test_what_has_no_form_is_refused(value: Any) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  # its own errors and those of the encoding are ValueErrors
        canonical(value)
