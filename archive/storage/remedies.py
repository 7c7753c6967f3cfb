"""What an operator can do about an error of the store: one sentence, with the cause if it can be found out."""

import re
import socket
import ssl
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

from botocore.exceptions import BotoCoreError, ClientError, ConnectTimeoutError, EndpointConnectionError, SSLError
from django.conf import settings

from archive.errors import StorageError, StoreDenied
from archive.storage.s3 import backend

RIGHTS = "Give it the permissions in docs/stores.md."
FULL = "Its disk is full, or a quota is used up: free some room, or add some."
REGION = "Set S3_REGION to the region of the bucket."
BY_CODE = {
    "InvalidAccessKeyId": "The store does not know the key: check S3_ACCESS_KEY_ID.",
    "SignatureDoesNotMatch": "The secret is wrong: check S3_SECRET_ACCESS_KEY, and that no proxy changes the host.",
    "AuthorizationHeaderMalformed": REGION,
    "InvalidRegionName": f"{REGION} Cloudflare R2: auto.",
    "PermanentRedirect": "Set S3_REGION and S3_ENDPOINT_URL to those of the bucket.",
    "TemporaryRedirect": "Set S3_REGION and S3_ENDPOINT_URL to those of the bucket.",
    "InvalidLocationConstraint": "Set S3_REGION to one that the store has, or create the bucket there.",
    "IllegalLocationConstraintException": "Set S3_REGION to that of S3_ENDPOINT_URL.",
    "BucketAlreadyExists": "The name S3_BUCKET belongs to another account: choose another one.",
    "NoSuchBucket": "Create the bucket, or check S3_BUCKET.",
    "AccessDenied": f"The key lacks a permission. {RIGHTS}",
    "403": "Give the key the permissions in docs/stores.md, and check S3_ACCESS_KEY_ID and S3_SECRET_ACCESS_KEY.",
    "301": "Set S3_REGION and S3_ENDPOINT_URL to those of the bucket.",
    "InsufficientStorage": FULL,  # OpenStack Swift
    "XMinioStorageFull": FULL,  # MinIO
    "QuotaExceeded": FULL,  # Ceph RGW
    "507": FULL,
}
# Permissions by operation, with AWS's names. A multipart upload needs s3:PutObject, except to list and abort it.
PERMISSIONS = {
    "AbortMultipartUpload": "s3:AbortMultipartUpload",
    "CompleteMultipartUpload": "s3:PutObject",
    "CreateBucket": "s3:CreateBucket",
    "CreateMultipartUpload": "s3:PutObject",
    "DeleteObject": "s3:DeleteObject, s3:DeleteObjectVersion",
    "DeleteObjects": "s3:DeleteObject, s3:DeleteObjectVersion",
    "GetObject": "s3:GetObject",
    "HeadObject": "s3:GetObject",
    "ListMultipartUploads": "s3:ListBucketMultipartUploads",
    "ListObjectVersions": "s3:ListBucketVersions",
    "ListObjectsV2": "s3:ListBucket",
    "ListParts": "s3:ListMultipartUploadParts",
    "UploadPart": "s3:PutObject",
    "UploadPartCopy": "s3:GetObject, s3:PutObject",
}
WRITES = {"CreateMultipartUpload", "UploadPart", "UploadPartCopy", "CompleteMultipartUpload", "PutObject"}
MOST_SKEW = timedelta(minutes=5)  # S3 allows 15; presigned URLs live for 5


def remedy_for(error: StorageError) -> str:
    """Return what to do about `error`, in one or two sentences. May send a request to the store."""
    cause = error.__cause__
    if isinstance(cause, ClientError):
        return _remedy_for_answer(error, cause)
    if isinstance(cause, SSLError):
        return _remedy_for_tls(str(cause))
    if isinstance(cause, EndpointConnectionError | ConnectTimeoutError):
        return "Check S3_ENDPOINT_URL, and that the store is running."
    if isinstance(cause, BotoCoreError) and _is_https_wanted():
        return "It speaks https there: set S3_ENDPOINT_URL to https://."
    return BY_CODE.get(str(error.params.get("s3_code", "")), "Run the command again when the store answers.")


def permissions_of(error: StorageError, otherwise: str) -> str:
    """Return the permissions that the key lacks, with AWS's names."""
    operation = getattr(error.__cause__, "operation_name", "")
    return PERMISSIONS.get(operation, otherwise)


def clock_skew(answer: ClientError) -> timedelta:
    """Return how far this machine's clock is ahead of the store's, by the Date of an answer that has just come."""
    try:
        date = parsedate_to_datetime(_metadata(answer)["HTTPHeaders"]["date"])
        return datetime.now(UTC) - date
    except (KeyError, TypeError, ValueError):
        return timedelta()


def _remedy_for_answer(error: StorageError, cause: ClientError) -> str:
    code, status = str(error.params.get("s3_code", "")), int(error.params.get("status", 0))
    skew = clock_skew(cause)
    if code == "RequestTimeTooSkewed" or (400 <= status < 500 and abs(skew) > MOST_SKEW):
        return _describe_skew(skew)
    if (status in (301, 302, 307, 308) or code == "400") and _is_https_wanted(cause):
        return "It speaks https there: set S3_ENDPOINT_URL to https://."
    if region := _expected_region(cause):
        return f"Set S3_REGION to {region}."
    if code.startswith("KMS."):
        return "Check S3_KMS_KEY_ID, and that the key of the object store may use it (docs/stores.md)."
    if code == "AccessDenied" and cause.operation_name == "ListObjectsV2":
        return _whose_bucket()
    if code == "AccessDenied":
        return f"The key lacks {permissions_of(error, 'a permission')}. {RIGHTS}"
    if code in BY_CODE:
        return BY_CODE[code]
    if status >= 500 and cause.operation_name in WRITES:
        return _remedy_for_writing()
    return BY_CODE.get(str(status), "Run the command again when the store answers.")


def _describe_skew(skew: timedelta) -> str:
    minutes = round(abs(skew) / timedelta(minutes=1))
    side = "ahead of" if skew > timedelta() else "behind"
    if minutes < MOST_SKEW / timedelta(minutes=1):  # the store sent no Date, or that of another machine
        return "Set the clock of this machine, or that of the store: they differ by too much."
    return f"This machine's clock is {minutes} minutes {side} the store's: set the one that is wrong, best by NTP."


def _expected_region(cause: ClientError) -> str:
    """Return the region that the store expects: AWS names it in two ways, Garage in its message."""
    failure: Any = cause.response["Error"]
    if region := failure.get("Region"):
        return str(region) if failure.get("Code") == "AuthorizationHeaderMalformed" else ""
    found = re.search(r"expecting '([\w-]+)'|expected: \S*?/([\w-]+)/s3/aws4_request", failure.get("Message") or "")
    return (found[1] or found[2]) if found else ""


def _whose_bucket() -> str:
    """Return the remedy for a bucket that this key may not list. AWS gives the same AccessDenied for a foreign bucket,
    but the list of our buckets, if the key may read it, shows whose bucket it is."""
    ours = backend("default")
    lacks = "the key lacks s3:ListBucket"
    try:
        buckets = ours.connection.meta.client.list_buckets().get("Buckets", [])
    except (BotoCoreError, ClientError):
        return (
            f"Either S3_BUCKET belongs to another account, or {lacks}: choose another name, or give it that permission."
        )
    if ours.bucket_name in [bucket["Name"] for bucket in buckets]:
        return f"The bucket is yours, but {lacks}. {RIGHTS}"
    return "The bucket belongs to another account: set S3_BUCKET to a name of your own."


def _remedy_for_writing() -> str:
    """Return the remedy for a 500 to a write, whose cause is only in the store's own log: SeaweedFS 4.48 answers so
    when no volume has room, or without the key of its key management service."""
    if settings.S3_ENCRYPTION:
        method = settings.S3_ENCRYPTION["ServerSideEncryption"]
        return f"It can't write with S3_ENCRYPTION={method}: check its key management service, and S3_KMS_KEY_ID."
    return (
        "It can be read, but not written: most likely its disk is full. See its own log; free some room, or add some."
    )


def _remedy_for_tls(words: str) -> str:
    if "CERTIFICATE_VERIFY_FAILED" in words:
        return "This machine does not trust its certificate: set S3_CA_BUNDLE to the file of its authority (PEM)."
    if "WRONG_VERSION_NUMBER" in words or "record layer failure" in words:
        return "It speaks http there: set S3_ENDPOINT_URL to http://."
    return "Check that S3_ENDPOINT_URL is right about https, and that this machine trusts the store's certificate."


def _is_https_wanted(cause: ClientError | None = None) -> bool:
    """Return whether an http:// endpoint needs https://: it redirects there, or a TLS handshake succeeds. Such servers
    answer 400 or 301, or break the connection."""
    where = urlsplit(str(backend("default").endpoint_url))
    if where.scheme != "http":
        return False
    if cause and str(_metadata(cause).get("HTTPHeaders", {}).get("location", "")).startswith("https://"):
        return True
    anybody = ssl.create_default_context()
    anybody.check_hostname, anybody.verify_mode = False, ssl.CERT_NONE  # nothing is sent
    try:
        with (
            socket.create_connection((where.hostname or "", where.port or 80), timeout=5) as plain,
            anybody.wrap_socket(plain, server_hostname=where.hostname),
        ):
            return True
    except (OSError, ValueError):
        return False


def _metadata(answer: ClientError) -> Any:
    return answer.response.get("ResponseMetadata", {})


def is_missing_permission(error: StoreDenied) -> bool:
    """Return whether a single permission is missing; otherwise the key itself is refused."""
    return str(error.params["s3_code"]) in ("AccessDenied", "AllAccessDisabled", "403", "Forbidden")  # 403: of HEAD
