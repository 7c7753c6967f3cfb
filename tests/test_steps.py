"""Independent steps: one that fails does not keep the others from running."""

from functools import partial

import pytest

from archive.errors import LeaseLost
from archive.steps import run_each


@pytest.mark.usefixtures("db")
def test_steps_end_at_once_with_their_lease_and_otherwise_all_run(caplog: pytest.LogCaptureFixture) -> None:
    ran = []

    def step(error: BaseException | None) -> None:
        ran.append(error)
        if error is not None:
            raise error

    first, second, lost = KeyError("first"), ValueError("second"), LeaseLost("work.lease_lost")
    with pytest.raises(KeyError):
        run_each(partial(step, error) for error in (first, second, None))
    assert ran == [first, second, None]
    assert "ValueError" in caplog.text

    with pytest.raises(LeaseLost):
        run_each(partial(step, error) for error in (first, lost, second))
    assert ran[3:] == [first, lost]
