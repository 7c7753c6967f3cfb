"""TCP proxies in front of the real object store: one pauses a chosen request, one counts bytes."""

import re
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Self
from urllib.parse import urlsplit

NO_REQUEST = "(?!)"  # a pattern that matches nothing


class PausingProxy:
    """Forward bytes to the store at `target`, and pause requests whose first line matches `pattern`.

    `reached()` says whether a request is paused; `release()` lets it and all later ones through.
    """

    def __init__(self, target: str, pattern: str) -> None:
        parts = urlsplit(target)
        self.target = (parts.hostname or "", parts.port or 80)
        self.pattern = re.compile(pattern.encode())
        self.held = 0
        self.released = threading.Event()
        self.sockets: list[socket.socket] = []
        self.threads: list[threading.Thread] = []

    def __enter__(self) -> Self:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        self._run(self._accept)
        return self

    def __exit__(self, *args: object) -> None:
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.released.set()
        for end in self.sockets:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        for thread in self.threads:
            thread.join(10)
        for end in self.sockets:
            end.close()

    def reached(self) -> bool:
        return self.held > 0

    def release(self) -> None:
        self.released.set()

    def _run(self, work: Callable[..., None], *arguments: socket.socket) -> None:
        thread = threading.Thread(target=work, args=arguments, daemon=True)
        self.threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self.listener.accept()
                server = socket.create_connection(self.target)
                for end in (client, server):  # or data in two pieces would wait 40 ms for an ACK between them
                    end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self.sockets += [client, server]
                self._run(self._pass, client, server)
                self._run(self._pass, server, client)

    def _pass(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                if self.pattern.match(data.split(b"\r\n", 1)[0]):
                    self.held += 1
                    self.released.wait(60)
                sink.sendall(data)
        with suppress(OSError):
            sink.shutdown(socket.SHUT_WR)


class CountingProxy(PausingProxy):
    """Count the bytes that clients send to the target (`received`) and get back (`sent`), and pause nothing."""

    def __init__(self, target: str) -> None:
        super().__init__(target, NO_REQUEST)
        self.received = self.sent = 0

    def _pass(self, source: socket.socket, sink: socket.socket) -> None:
        comes_in = source.getsockname() == self.listener.getsockname()
        with suppress(OSError):
            while data := source.recv(65536):
                if comes_in:
                    self.received += len(data)
                else:
                    self.sent += len(data)
                sink.sendall(data)
        with suppress(OSError):
            sink.shutdown(socket.SHUT_WR)
