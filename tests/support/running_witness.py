"""Run a witness of our log in its own process, as an outsider would."""

import http.client
import os
import shutil
import socket
import subprocess
import sys
from contextlib import closing
from pathlib import Path

from archive.transparency import verify_log, witness
from archive.transparency.keys import public_keys
from archive.transparency.verify_log import Key
from tests.support.log_exports import KEY as OTHER_LOG
from tests.support.waiting import wait_until


class Running:
    """The command, started in a folder with only two files."""

    def __init__(self, folder: Path) -> None:
        for module in (witness, verify_log):
            shutil.copy(str(module.__file__), folder)
        with socket.create_server(("127.0.0.1", 0)) as server:
            self.port = server.getsockname()[1]
        self.process = subprocess.Popen(
            [
                *(sys.executable, "witness.py", "--key", "seed", "--state", "state", "--name", "witness.example"),
                *("--log", str(public_keys()[0]), "--log", str(OTHER_LOG), "--listen", f"127.0.0.1:{self.port}"),
            ],
            cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
            env={"PATH": os.environ["PATH"]},
        )  # fmt: skip
        assert self.process.stdout
        self.key = Key.parse(self.process.stdout.readline())
        wait_until(self._listens, "the witness listens")

    def stop(self) -> None:
        """Stop it. Idempotent."""
        self.process.kill()
        self.process.wait()
        assert self.process.stdout
        self.process.stdout.close()

    def _listens(self) -> bool:
        with socket.socket() as client:
            return client.connect_ex(("127.0.0.1", self.port)) == 0

    def ask(self, method: str, path: str, body: str = "") -> tuple[int, str]:
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)) as connection:
            connection.request(method, path, body.encode())
            response = connection.getresponse()
            return response.status, response.read().decode()
