"""Run SeaweedFS, the object store: master, volume server, filer and S3 gateway in one process (`weed mini`).

Only the S3 gateway is for clients, and it requires a key. The other parts would trust every caller, so each is closed:
gRPC accepts only our own certificate, the volume server needs signed requests, and filer and master have no HTTP API.
"""

import http.client
import json
import re
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

from embedded.engine import Engine, script
from embedded.mutual_tls import ensure_certificate
from embedded.state import HOST, TWIN, write_private

BUCKET = "spacekeep"
REGION = "us-east-1"
PORT_NAMES = ("s3", "master", "volume", "filer", "admin")
# Space is allocated in full volumes, and reclaimed from one when it is 30% garbage: small volumes suit a small disk.
VOLUME_MB = 256
CERTIFICATE = "grpc"
# The keys of security.toml (`weed scaffold -config=security`): writes and reads, at the volume server and at the filer.
SIGNED = ("jwt.signing", "jwt.signing.read", "jwt.filer_signing", "jwt.filer_signing.read")
WITH_CERTIFICATE = ("volume", "master", "filer", "s3", "admin", "worker", "msg_broker", "msg_agent", "mq", "client")


class SeaweedFS(Engine):
    name = "seaweedfs"
    stop_seconds = 8.0

    @property
    def ports(self) -> tuple[str, ...]:
        return PORT_NAMES

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port('s3')}"

    @property
    def access_key(self) -> str:
        return self._state.secret("s3_access_key")[:20]

    @property
    def secret_key(self) -> str:
        return self._state.secret("s3_secret_key")

    def _spawn(self) -> None:
        write_private(self.folder / "s3.json", json.dumps(self._configuration()))
        ensure_certificate(self.folder, CERTIFICATE)
        write_private(self.folder / "security.toml", self._security())
        # SeaweedFS saves its options there and reads them at the next start. Ours are always on the command line.
        (self.folder / "mini.options").unlink(missing_ok=True)
        self.process.spawn([str(script("weed")), *self._arguments()], cwd=self.folder, death_signal=signal.SIGTERM)

    def _configuration(self) -> dict[str, Any]:
        """Return the S3 gateway's accounts and their permissions."""
        identity = {
            "name": "spacekeep",
            "credentials": [{"accessKey": self.access_key, "secretKey": self.secret_key}],
            "actions": ["Admin", "Read", "List", "Tagging", "Write"],
        }
        return {"identities": [identity]}

    def _security(self) -> str:
        """Return the contents of security.toml, which is in the working folder. Its paths are relative to that."""
        keys = [(name, {"key": self._state.secret(f"seaweedfs_{name}")}) for name in SIGNED]
        files = {"cert": f"{CERTIFICATE}.crt", "key": f"{CERTIFICATE}.key"}
        tables = [*keys, ("grpc", {"ca": files["cert"]}), *((f"grpc.{name}", files) for name in WITH_CERTIFICATE)]
        return "".join(
            f"[{table}]\n" + "".join(f'{name} = "{value}"\n' for name, value in values.items())
            for table, values in tables
        )

    def _arguments(self) -> list[str]:
        options = self._options()
        for name in PORT_NAMES:
            options[f"{name}.port"] = str(self.port(name))
            options[f"{name}.port.grpc"] = str(self.port(name) + TWIN)
        return ["mini", *(f"-{name}={value}" for name, value in options.items())]

    def _options(self) -> dict[str, str]:
        return {
            "dir": ".",  # relative to cwd, as the next two, so that no path is too long or contains a space
            "s3.localSocket": "s3.sock",
            "filer.localSocket": "filer.sock",
            "ip": HOST,
            "ip.bind": HOST,
            "s3.config": "s3.json",
            "s3.autoCreateBucket": "false",
            "s3.iam": "false",
            "s3.port.iceberg": "0",  # the defaults of these two are the same fixed ports for every clone
            "s3.port.lance": "0",
            "webdav": "false",
            "admin.ui": "false",
            "master.telemetry": "false",
            "master.volumeSizeLimitMB": str(VOLUME_MB),
            "volume.max": "0",  # as many as fit on the disk
            "volume.preStopSeconds": "0",
            "filer.disableDirListing": "true",
            "disableHttp": "true",  # of filer and master; the S3 gateway uses gRPC with them
        }

    def _answers(self) -> bool:
        """Return whether there are free volumes, and the gateway has loaded its keys: it refuses requests without
        one."""
        try:
            # The master's status page is the only thing that it still serves over HTTP.
            room = re.search(rb"<th>Max</th>\s*<td>(\d+)</td>", _get(self.port("master"), "/")[1])
            return room is not None and int(room[1]) > 0 and _get(self.port("s3"), "/")[0] == 403
        except (OSError, http.client.HTTPException):
            return False

    def has_bucket(self) -> bool:
        """Return whether our bucket has a volume. `setup_store` creates the bucket and writes into it."""
        volumes = json.loads(_get(self.port("volume"), "/status")[1])["Volumes"] or []
        return any(volume["Collection"] == BUCKET for volume in volumes)

    def stop(self, hurry: Callable[[], bool] = lambda: False) -> None:
        super().stop(hurry)
        # SeaweedFS creates a socket in /tmp for each port, and leaves some behind.
        for name in self.ports if self._settled else ():
            for port in (self.port(name), self.port(name) + TWIN):
                for path in Path("/tmp").glob(f"seaweedfs-*-{port}.sock"):
                    path.unlink(missing_ok=True)


def _get(port: int, path: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection(HOST, port, timeout=2)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()
