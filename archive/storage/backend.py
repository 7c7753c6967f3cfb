"""Storage backend: django-storages with timeouts, so that an unresponsive store raises an error instead of hanging."""

from typing import Any

from botocore.config import Config
from storages.backends.s3 import S3Storage


class ObjectStorage(S3Storage):  # type: ignore[misc]
    """django-storages' S3 backend. STORAGES configures two: `default` uses the endpoint for servers, `public` the
    endpoint that browsers reach and that URLs are signed for."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        limits = Config(
            connect_timeout=5,
            read_timeout=120,  # UploadPartCopy of 5 GiB answers only when the copy is complete
            retries={"mode": "standard", "total_max_attempts": 3},
            max_pool_connections=16,
        )
        self.client_config: Config = self.client_config.merge(limits)
