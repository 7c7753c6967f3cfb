"""`PORT=... make run` uses that port, or says in one line why it can't."""

import socket

import pytest

from embedded.process import ProcessError
from embedded.run import choose_port


@pytest.mark.parametrize("port", ["0", "65536", "99999", "-1", "80a", "\N{SUPERSCRIPT TWO}"])
def test_what_is_no_port_is_refused(port: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", port)

    with pytest.raises(ProcessError, match=f"PORT={port} cannot be used: write a number from 1 to 65535"):
        choose_port()


def test_a_port_in_use_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        monkeypatch.setenv("PORT", str(port))

        with pytest.raises(ProcessError, match=f"PORT={port} cannot be used: another program uses it"):
            choose_port()
    assert choose_port() == (port, None)
