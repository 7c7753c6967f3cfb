"""Ceph's RADOS Gateway from Debian's packages: one monitor, one OSD that keeps its data in memory, one gateway."""

import re
from pathlib import Path
from typing import ClassVar
from uuid import uuid4

from embedded.state import HOST
from tests.stores._server import Server, accepts, free_ports
from tests.stores._software import debian_packages, run
from tests.support.authorities import Authority

PACKAGES = ("ceph-mon", "ceph-osd", "ceph-common", "radosgw")
# The privileges of each daemon. One keyring serves all of them.
KEYS = {
    "mon.": ("mon",),
    "client.admin": ("mon", "osd", "mgr"),
    "osd.0": ("mon", "osd"),
    "client.rgw": ("mon", "osd"),
}
CONFIGURATION = """
[global]
fsid = {fsid}
mon initial members = a
mon host = [v2:{host}:{v2},v1:{host}:{v1}]
public addr = {host}
cluster addr = {host}
ms bind port min = {low}
ms bind port max = {high}
ms bind ipv6 = false
mon data avail crit = 1
mon allow pool size one = true
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 8
osd pool default pgp num = 8
osd crush chooseleaf type = 0
osd objectstore = memstore
memstore device bytes = 3221225472
mon data = {folder}/mon
osd data = {folder}/osd
keyring = {folder}/keyring
run dir = {folder}
admin socket = {folder}/$name.$pid.asok
log file = {folder}/$name.log
mon cluster log file = {folder}/cluster.log
plugin dir = {lib}/ceph
erasure code dir = {lib}/ceph/erasure-code
osd class dir = {lib}/rados-classes

[client.rgw]
rgw frontends = {frontend}
"""


class Ceph(Server):
    label: ClassVar[str] = "Ceph RGW"
    scheme: ClassVar[str] = "http"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.port, self.v1, self.v2 = free_ports(3)

    @property
    def url(self) -> str:
        return f"{self.scheme}://{HOST}:{self.port}"

    def start(self) -> None:
        self.root = debian_packages("ceph", PACKAGES)
        (self.lib,) = self.root.glob("usr/lib/*/rados-classes/..")
        self.lib = self.lib.resolve()
        self._configure()
        found = re.search(r"version (\S+)", run([self._program("ceph-mon"), "--version"], "ceph-mon", env=self._env))
        self.version = found[1] if found else "unknown"
        self._start_monitor()
        self._start_osd()
        user = ["user", "create", "--uid=spacekeep", "--display-name=Spacekeep"]
        keys = [f"--access-key={self.access_key}", f"--secret-key={self.secret_key}"]
        self._run("radosgw-admin", *user, *keys)
        self.spawn("gateway", self._program("radosgw"), "-n", "client.rgw", "-f", env=self._env)
        self.wait(lambda: accepts(self.port), "radosgw")

    @property
    def _env(self) -> dict[str, str]:
        libraries = [self.lib, self.lib / "ceph", self.root / "lib" / self.lib.name]
        return {
            "PATH": f"{self.root}/usr/bin:/usr/bin:/bin",
            "LD_LIBRARY_PATH": ":".join(str(folder) for folder in libraries),
            "PYTHONPATH": f"{self.root}/usr/lib/python3/dist-packages",
            "CEPH_CONF": f"{self.folder}/ceph.conf",
        }

    def _program(self, name: str) -> str:
        return str(self.root / "usr" / "bin" / name)

    def _run(self, program: str, *arguments: str) -> str:
        return run([self._program(program), *arguments], f"{program} {' '.join(arguments[:2])}", env=self._env)

    def _configure(self) -> None:
        self.fsid = uuid4()
        values = {"fsid": self.fsid, "host": HOST, "v1": self.v1, "v2": self.v2, "folder": self.folder}
        values |= {"lib": self.lib, "frontend": self._frontend(), "low": 22_000, "high": 24_000}
        (self.folder / "ceph.conf").write_text(CONFIGURATION.format(**values))
        for name in ("mon", "osd"):
            (self.folder / name).mkdir()

    def _frontend(self) -> str:
        return f"beast endpoint={HOST}:{self.port}"

    def _start_monitor(self) -> None:
        keyring, map_file = str(self.folder / "keyring"), str(self.folder / "monmap")
        for name, parts in KEYS.items():
            rights = [word for part in parts for word in ("--cap", part, "allow *")]
            new = [] if Path(keyring).exists() else ["--create-keyring"]
            self._run("ceph-authtool", keyring, *new, "--gen-key", "-n", name, *rights)
        addresses = f"[v2:{HOST}:{self.v2},v1:{HOST}:{self.v1}]"
        self._run("monmaptool", "--create", "--fsid", str(self.fsid), "--addv", "a", addresses, map_file)
        self._run("ceph-mon", "-i", "a", "--mkfs", "--monmap", map_file, "--keyring", keyring)
        self.spawn("monitor", self._program("ceph-mon"), "-i", "a", "-f", env=self._env)
        self.wait(lambda: accepts(self.v2), "ceph-mon")

    def _start_osd(self) -> None:
        osd = str(uuid4())
        # The command is a script for Debian's own Python.
        ceph = ["/usr/bin/python3", self._program("ceph"), "--connect-timeout=60"]
        run([*ceph, "osd", "new", osd], "ceph osd new", env=self._env)
        self._run("ceph-osd", "-i", "0", "--mkfs", "--osd-uuid", osd)
        self.spawn("osd", self._program("ceph-osd"), "-i", "0", "-f", env=self._env)
        self.wait(lambda: "1 up" in run([*ceph, "osd", "stat"], "ceph osd stat", env=self._env), "ceph-osd")


class CephOverTls(Ceph):
    """With a certificate of an authority that only we know."""

    label: ClassVar[str] = "Ceph RGW, https"
    scheme: ClassVar[str] = "https"

    def _frontend(self) -> str:
        authority = Authority(self.folder)
        self.ca = Path(authority.ca_file)
        return f"beast ssl_endpoint={HOST}:{self.port} ssl_certificate={authority.make_certificate(HOST)}"
