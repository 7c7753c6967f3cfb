"""A SeaweedFS besides the one of the tests, for what must not happen to that one: a full disk, keys with few
permissions, a key management service."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from embedded.seaweedfs import SeaweedFS
from embedded.state import State

STRANGER = {"access_key": "stranger", "secret_key": "secret-of-the-stranger"}
READ_ONLY = "for-readers"  # the bucket that the stranger may list and read


class OtherSeaweedFS(SeaweedFS):
    """`full`: no volume beyond the first, which takes a megabyte. The stranger is another account."""

    def __init__(self, folder: Path, *, full: bool = False) -> None:
        super().__init__(folder, State(folder / "engines.json"), folder / "logs", lambda: None)
        self._full = full

    @property
    def options(self) -> dict[str, str]:
        """Of django-storages, with the owner's key."""
        return {"endpoint_url": self.url, "access_key": self.access_key, "secret_key": self.secret_key}

    def _configuration(self) -> dict[str, Any]:
        stranger = {
            "name": "stranger",
            "credentials": [{"accessKey": STRANGER["access_key"], "secretKey": STRANGER["secret_key"]}],
            "actions": [f"Read:{READ_ONLY}", f"List:{READ_ONLY}"],
        }
        # Keys of this provider live in memory, and are made when they are first named.
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
