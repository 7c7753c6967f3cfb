"""OpenStack Swift with its S3 API, from Debian's packages: one proxy, and one server each for accounts, containers and
objects."""

from pathlib import Path
from typing import ClassVar

from embedded.state import HOST
from tests.stores._server import Server, answers_http, free_ports
from tests.stores._software import debian_packages, run

PACKAGES = ("swift-proxy", "swift-account", "swift-container", "swift-object")
KINDS = ("account", "container", "object")
SWIFT = """
[swift-hash]
swift_hash_path_suffix = tests
"""
# Swift reads /etc/swift/swift.conf, whatever else it is told.
LAUNCH = """
import runpy, sys
import swift.common.utils
swift.common.utils.SWIFT_CONF_FILE = sys.argv[1]
sys.argv = sys.argv[2:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""
SHARED = """
[DEFAULT]
bind_ip = {host}
bind_port = {port}
user = root
swift_dir = {folder}
devices = {folder}/devices
mount_check = false
workers = 1
fallocate_reserve = 0
disable_fallocate = true
"""
PROXY = """
[pipeline:main]
pipeline = catch_errors gatekeeper cache listing_formats bulk s3api tempauth copy slo dlo versioned_writes proxy-server

[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true

[filter:tempauth]
use = egg:swift#tempauth
user_spacekeep_{name} = {secret} .admin

[filter:s3api]
use = egg:swift#s3api
s3_acl = false

[filter:cache]
use = egg:swift#memcache
memcache_servers = {host}:1

"""
FILTERS = ("catch_errors", "gatekeeper", "listing_formats", "bulk", "copy", "slo", "dlo", "versioned_writes")
SERVER = """
[pipeline:main]
pipeline = {kind}-server

[app:{kind}-server]
use = egg:swift#{kind}
"""


class Swift(Server):
    label: ClassVar[str] = "OpenStack Swift, s3api"
    files = ("devices",)

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.port, *ports = free_ports(4)
        self.ports = dict(zip(KINDS, ports, strict=True))
        self.access_key = "spacekeep:recorder"

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    def start(self) -> None:
        self.root = debian_packages("swift", PACKAGES)
        tell = "import swift; print(swift.__version__)"
        self.version = run(["/usr/bin/python3", "-c", tell], "Swift's version", env=self._env).strip()
        self._configure()
        for kind in KINDS:
            self._make_ring(kind)
            self._spawn(kind)
        self._spawn("proxy")
        self.wait(lambda: all(map(answers_http, [*self.ports.values(), self.port])), "Swift")

    @property
    def _env(self) -> dict[str, str]:
        (libraries,) = self.root.glob("usr/lib/*-linux-gnu")
        return {
            "PATH": "/usr/bin:/bin",
            "PYTHONPATH": f"{self.root}/usr/lib/python3/dist-packages",
            "LD_LIBRARY_PATH": str(libraries),
            "HOME": str(self.folder),
        }

    def _configure(self) -> None:
        self._write("swift.conf", SWIFT)
        name = self.access_key.partition(":")[2]
        shared = {"host": HOST, "folder": self.folder, "name": name, "secret": self.secret_key}
        filters = "".join(f"\n[filter:{name}]\nuse = egg:swift#{name}\n" for name in FILTERS)
        self._write("proxy-server.conf", (SHARED + PROXY).format(port=self.port, **shared) + filters)
        for kind, port in self.ports.items():
            self._write(f"{kind}-server.conf", (SHARED + SERVER).format(kind=kind, port=port, **shared))
        (self.folder / "devices" / "d1").mkdir(parents=True)

    def _write(self, name: str, text: str) -> None:
        (self.folder / name).write_text(text)

    def _make_ring(self, kind: str) -> None:
        builder = [self._program("swift-ring-builder"), str(self.folder / f"{kind}.builder")]
        device = f"r1z1-{HOST}:{self.ports[kind]}/d1"
        for arguments in (["create", "4", "1", "1"], ["add", device, "1"], ["rebalance"]):
            run(["/usr/bin/python3", *builder, *arguments], f"swift-ring-builder {arguments[0]}", env=self._env)

    def _program(self, name: str) -> str:
        return str(self.root / "usr" / "bin" / name)

    def _spawn(self, kind: str) -> None:
        program, configuration = self._program(f"swift-{kind}-server"), str(self.folder / f"{kind}-server.conf")
        launch = ("/usr/bin/python3", "-c", LAUNCH, str(self.folder / "swift.conf"))
        self.spawn(kind, *launch, program, configuration, "--verbose", env=self._env)
