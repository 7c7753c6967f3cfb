"""A relay that counts what clients send through it, to see what does not pass."""

import socket
from contextlib import suppress

from tests.gate import Gate

NOTHING = "(?!)"


class Relay(Gate):
    """A gate that holds nothing. `received`: the bytes that clients sent to the process behind it."""

    def __init__(self, target: str) -> None:
        super().__init__(target, NOTHING)
        self.received = 0

    def _pass(self, source: socket.socket, sink: socket.socket) -> None:
        comes_in = source.getsockname() == self.listener.getsockname()
        with suppress(OSError):
            while data := source.recv(65536):
                self.received += len(data) if comes_in else 0
                sink.sendall(data)
        with suppress(OSError):
            sink.shutdown(socket.SHUT_WR)
