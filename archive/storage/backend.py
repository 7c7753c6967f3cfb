"""The configured storage backend: django-storages, with time limits so that a silent store is an error, not a hang."""

from typing import Any

from botocore.config import Config
from storages.backends.s3 import S3Storage


class ObjectStorage(S3Storage):  # type: ignore[misc]
    """django-storages' S3 backend. Two are configured (STORAGES): `default`, at the address that servers use, and
    `public`, at the address that browsers see and that URLs are signed for."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        limits = Config(
            connect_timeout=5,
            read_timeout=120,  # a copy of 5 GiB inside the store answers when it is done
            retries={"mode": "standard", "total_max_attempts": 3},
            max_pool_connections=16,
        )
        self.client_config: Config = self.client_config.merge(limits)
