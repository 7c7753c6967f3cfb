"""moto's server, from PyPI: a mock of S3 that keeps everything in memory and checks little."""

from pathlib import Path
from typing import ClassVar

from embedded.state import HOST
from tests.stores._server import Server, answers_http, free_ports
from tests.stores._software import python_packages, run


class Moto(Server):
    label: ClassVar[str] = "moto's server (a mock)"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        (self.port,) = free_ports(1)

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    def start(self) -> None:
        programs = python_packages("moto", ["moto[s3,server]"])
        tell = "import importlib.metadata as m; print(m.version('moto'))"
        self.version = run([str(programs / "python"), "-c", tell], "moto's version").strip()
        self.spawn("moto", str(programs / "moto_server"), f"--host={HOST}", f"--port={self.port}")
        self.wait(lambda: answers_http(self.port), "moto")
