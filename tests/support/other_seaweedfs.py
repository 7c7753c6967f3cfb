"""Run a second SeaweedFS for what must not happen to the main one: a full disk, keys with few permissions, a KMS."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from embedded.seaweedfs import SeaweedFS
from embedded.state import State

STRANGER = {"access_key": "stranger", "secret_key": "secret-of-the-stranger"}
READ_ONLY = "for-readers"  # a bucket that the stranger's key may list and read


class OtherSeaweedFS(SeaweedFS):
    """`full`: only one volume, which holds a megabyte. The stranger is a second account."""

    def __init__(self, folder: Path, *, full: bool = False) -> None:
        super().__init__(folder, State(folder / "engines.json"), folder / "logs", lambda: None)
        self._full = full

    @property
    def options(self) -> dict[str, str]:
        """Return the options for django-storages, with the owner's key."""
        return {"endpoint_url": self.url, "access_key": self.access_key, "secret_key": self.secret_key}

    def _configuration(self) -> dict[str, Any]:
        stranger = {
            "name": "stranger",
            "credentials": [{"accessKey": STRANGER["access_key"], "secretKey": STRANGER["secret_key"]}],
            "actions": [f"Read:{READ_ONLY}", f"List:{READ_ONLY}"],
        }
        # This provider keeps keys in memory, and creates a key at its first use.
        provider = {"type": "local", "enableOnDemandCreate": True}
        keys = {"default_provider": "local", "providers": {"local": provider}}
        known = super()._configuration()
        return {"identities": [*known["identities"], stranger], "kms": keys}

    def _options(self) -> dict[str, str]:
        small = {"volume.max": "1", "master.volumeSizeLimitMB": "1"} if self._full else {}
        return super()._options() | small


@contextmanager
def other_seaweedfs(*, full: bool = False) -> Iterator[OtherSeaweedFS]:
    with tempfile.TemporaryDirectory(prefix="spacekeep-store-") as folder:
        engine = OtherSeaweedFS(Path(folder), full=full)
        engine.start()
        try:
            yield engine
        finally:
            engine.stop(hurry=lambda: True)
