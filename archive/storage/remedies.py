"""What an operator can do about an error of the store: one sentence each."""

from botocore.exceptions import ConnectTimeoutError, EndpointConnectionError, SSLError

from archive.errors import StorageError

BY_CODE = {
    "InvalidAccessKeyId": "Check S3_ACCESS_KEY_ID.",
    "SignatureDoesNotMatch": "Check S3_SECRET_ACCESS_KEY, and that no proxy changes the host name.",
    "RequestTimeTooSkewed": "Set the clock of this machine, or that of the store: they differ by too much.",
    "AuthorizationHeaderMalformed": "Set S3_REGION to the region of the bucket.",
    "PermanentRedirect": "Set S3_REGION and S3_ENDPOINT_URL to those of the bucket.",
    "TemporaryRedirect": "Set S3_REGION and S3_ENDPOINT_URL to those of the bucket.",
    "InvalidLocationConstraint": "Set S3_REGION to one that the store has, or create the bucket there.",
    "IllegalLocationConstraintException": "Set S3_REGION to that of S3_ENDPOINT_URL.",
    "BucketAlreadyExists": "The name S3_BUCKET belongs to another account: choose another one.",
    "NoSuchBucket": "Create the bucket, or check S3_BUCKET.",
    "AccessDenied": "Give the key the permissions in docs/stores.md, and check that the bucket is yours.",
    "403": "Give the key the permissions in docs/stores.md, and check S3_ACCESS_KEY_ID and S3_SECRET_ACCESS_KEY.",
    "301": "Set S3_REGION and S3_ENDPOINT_URL to those of the bucket.",
    "InsufficientStorage": "The store's disk is full: free some, or add some.",
    "507": "The store's disk is full: free some, or add some.",
}


def remedy_for(error: StorageError) -> str:
    """What to do about `error`, as one sentence."""
    code = str(error.params.get("s3_code", ""))
    if code in BY_CODE:
        return BY_CODE[code]
    cause = error.__cause__
    if isinstance(cause, SSLError):
        return "Check that S3_ENDPOINT_URL is right about https, and that this machine trusts the store's certificate."
    if isinstance(cause, EndpointConnectionError | ConnectTimeoutError):
        return "Check S3_ENDPOINT_URL, and that the store is running."
    return "Run the command again when the store answers."
