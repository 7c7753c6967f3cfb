"""Storage backend: django-storages with timeouts, so that an unresponsive store raises an error instead of hanging."""

import base64
import hashlib
import threading
from functools import cache
from typing import Any

import boto3
from botocore.config import Config
from storages.backends.s3 import S3Storage

from archive import metrics

_opening = threading.Lock()


@cache
def _session(access_key: str, secret_key: str, token: str | None) -> boto3.Session:
    """Return the session of this process. Each new one parses botocore's service files again: 0.2 s of CPU."""
    return boto3.Session(access_key, secret_key, token)


def _add_md5(request: Any, **kwargs: Any) -> None:
    digest = hashlib.md5(request.body, usedforsecurity=False).digest()
    request.headers["Content-MD5"] = base64.b64encode(digest).decode()


def _stay_in_region(context: Any, **kwargs: Any) -> None:
    # When an answer names another region, botocore would sign the call again for that region. URLs for browsers are
    # signed in advance, so browsers would be refused while servers work. So a wrong S3_REGION is an error everywhere.
    context.setdefault("s3_redirect", {})["redirected"] = True


class ObjectStorage(S3Storage):  # type: ignore[misc]
    """django-storages' S3 backend. STORAGES configures two: `default` uses the endpoint for servers, `public` the
    endpoint for browsers, for which URLs are signed."""

    limits = Config(
        connect_timeout=5,
        read_timeout=120,  # UploadPartCopy of 5 GiB answers only when the copy is complete
        # We send checksums ourselves, as headers. Over https the SDK sends trailers, which not every store accepts.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
        retries={"mode": "standard", "total_max_attempts": 3},
        max_pool_connections=16,
    )

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.client_config: Config = self.client_config.merge(self.limits)

    @property
    def connection(self) -> Any:
        """A client for each thread. Sessions are not thread-safe, but clients made from one are (boto3's guide)."""
        with _opening:
            opened = super().connection
        # Older stores and OpenStack Swift require an MD5 in DeleteObjects; the SDK sends a CRC-32. We send both.
        events = opened.meta.client.meta.events
        events.register_first("before-sign.s3.DeleteObjects", _add_md5, unique_id="content-md5")
        events.register("before-call.s3", _stay_in_region, unique_id="stay-in-region")
        metrics.watch_store(events)
        return opened

    def _create_session(self) -> boto3.Session:
        return _session(self.access_key, self.secret_key, self.security_token)


class HastyObjectStorage(ObjectStorage):
    """For a store that must not block anything: it fails fast, since the next round retries."""

    limits = ObjectStorage.limits.merge(
        Config(connect_timeout=3, read_timeout=5, retries={"mode": "standard", "total_max_attempts": 1})
    )
