"""PostgreSQL, the object stores, LiveKit and inboxes, mail."""

import environ

from portal import env, processes
from portal.settings.site import DEBUG

DATABASE_URL = env.address(
    "DATABASE_URL",
    ("postgres", "postgresql"),
    id="spacekeep.E003",
    hint="postgres://user:password@host:5432/spacekeep",
)
IDLE_TRANSACTION_SECONDS = env.number("IDLE_TRANSACTION_SECONDS", 60, least=1, id="spacekeep.E018")
DATABASE = environ.Env.db_url_config(DATABASE_URL or "postgres://localhost/spacekeep")
# The role that owns the tables: only `manage.py migrate` connects as it (archive/database_roles.py).
DATABASE_OWNER_URL = env.address(
    "DATABASE_OWNER_URL",
    ("postgres", "postgresql"),
    default="",
    id="spacekeep.E093",
    hint="postgres://owner:password@host:5432/spacekeep",
)
OWNER = environ.Env.db_url_config(DATABASE_OWNER_URL) if DATABASE_OWNER_URL else {}
DATABASE_OWNER = {name: OWNER[name] for name in ("USER", "PASSWORD", "HOST", "PORT") if OWNER}
DATABASE_ROLE = DATABASE["USER"]
DATABASES = {
    "default": {
        **DATABASE,
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
        # A pooler in transaction mode (pgbouncer) may send the next FETCH of a cursor to another connection.
        "DISABLE_SERVER_SIDE_CURSORS": True,
        "OPTIONS": {
            "connect_timeout": 5,
            # End the transaction of a stopped process: its locks would block a deletion (portal/database_checks.py).
            "options": f"-c idle_in_transaction_session_timeout={IDLE_TRANSACTION_SECONDS}s",
            **DATABASE.get("OPTIONS", {}),  # options of the URL, such as sslmode
        },
    }
}
AUTH_USER_MODEL = "archive.User"

S3 = {
    "bucket_name": env.text("S3_BUCKET", id="spacekeep.E004", hint="The bucket that holds the recordings."),
    "access_key": env.text("S3_ACCESS_KEY_ID", id="spacekeep.E005", hint="The access key of the object store."),
    "secret_key": env.text("S3_SECRET_ACCESS_KEY", id="spacekeep.E006", hint="The secret key of the object store."),
    "region_name": env.text("S3_REGION", "us-east-1"),
    "signature_version": "s3v4",
    # `virtual`: the bucket is part of the host name, as AWS recommends; its certificate must be one for such names.
    "addressing_style": env.choice("S3_ADDRESSING_STYLE", ("path", "virtual"), id="spacekeep.E170"),
    "default_acl": None,
}
# Two URLs of one store: one for servers, and one for browsers, which URLs are signed for.
S3_ENDPOINT_URL = env.origin("S3_ENDPOINT_URL", id="spacekeep.E007", hint="The store's address for servers.")
S3_PUBLIC_ENDPOINT_URL = env.origin(
    "S3_PUBLIC_ENDPOINT_URL", S3_ENDPOINT_URL, id="spacekeep.E008", hint="The store's address for browsers."
)

# Authorities of the store's certificate, instead of those of the system. Used for other buckets only if they are in
# this store.
S3_CA_BUNDLE = env.text("S3_CA_BUNDLE", "")
VERIFY = {"verify": S3_CA_BUNDLE or None}
# `configured`: the operator configures CORS at the store, and setup_store does not change its rules.
S3_CORS = env.choice("S3_CORS", ("bucket", "configured"), id="spacekeep.E171")
# Server-side encryption of new objects: by the store's own keys (AES256), or by a key management service (aws:kms).
_ENCRYPTION = env.choice("S3_ENCRYPTION", ("none", "AES256", "aws:kms"), id="spacekeep.E172")
_KMS_KEY = env.text("S3_KMS_KEY_ID", "")
S3_ENCRYPTION = {} if _ENCRYPTION == "none" else {"ServerSideEncryption": _ENCRYPTION}
if _ENCRYPTION == "aws:kms" and _KMS_KEY:
    S3_ENCRYPTION["SSEKMSKeyId"] = _KMS_KEY

# Recordings from LiveKit and inboxes (archive/intake/arrivals). LiveKit is off without LIVEKIT_API_KEY. Its recordings
# are in a separate bucket, by default in our store and with our key. No event can name another URL or bucket.

LIVEKIT_API_KEY = env.text("LIVEKIT_API_KEY", "")
LIVEKIT_API_SECRET = env.text("LIVEKIT_API_SECRET", "")
LIVEKIT_RECORDER = env.text("LIVEKIT_RECORDER", "")  # the prefix of a token, skr_...: its hosts and quotas apply
LIVEKIT_URL = env.origin(
    "LIVEKIT_URL", "", id="spacekeep.E060", hint="The address of LiveKit's API, to ask it for lost events."
)
LIVEKIT_BUCKET = env.text("LIVEKIT_BUCKET", "")
LIVEKIT_PREFIX = env.text("LIVEKIT_PREFIX", "")  # keys of recordings begin with it
LIVEKIT_DELETE_SOURCE = env.flag("LIVEKIT_DELETE_SOURCE", False)  # once a recording is safely stored here
LIVEKIT_WAIT_SECONDS = env.number("LIVEKIT_WAIT_SECONDS", 60, least=0, most=3600, id="spacekeep.E061")
LIVEKIT_S3_ENDPOINT_URL = env.origin(
    "LIVEKIT_S3_ENDPOINT_URL", S3_ENDPOINT_URL, id="spacekeep.E062", hint="The store of LiveKit's bucket."
)
LIVEKIT_S3 = {
    **S3,
    "bucket_name": LIVEKIT_BUCKET,
    "access_key": env.text("LIVEKIT_S3_ACCESS_KEY_ID", S3["access_key"] or ""),
    "secret_key": env.text("LIVEKIT_S3_SECRET_ACCESS_KEY", S3["secret_key"] or ""),
    "region_name": env.text("LIVEKIT_S3_REGION", S3["region_name"] or ""),
}

# A second bucket for checkpoints of the log, which the archive's operators can't change
# (archive/transparency/second_bucket.py). Off without LOG_BUCKET. It may be another vendor's, and has credentials of
# its own.

LOG_BUCKET = env.text("LOG_BUCKET", "")
LOG_S3_ENDPOINT_URL = env.origin(
    "LOG_S3_ENDPOINT_URL", S3_ENDPOINT_URL, id="spacekeep.E131", hint="The store of the log's second bucket."
)
LOG_S3 = {
    **S3,
    "bucket_name": LOG_BUCKET,
    "access_key": env.text("LOG_S3_ACCESS_KEY_ID", ""),
    "secret_key": env.text("LOG_S3_SECRET_ACCESS_KEY", ""),
    "region_name": env.text("LOG_S3_REGION", S3["region_name"] or ""),
}
LOG_LOCK_MODE = env.choice("LOG_LOCK_MODE", ("COMPLIANCE", "GOVERNANCE"), id="spacekeep.E132")
LOG_LOCK_DAYS = env.number("LOG_LOCK_DAYS", 400, least=1, most=36500, id="spacekeep.E133")

# Inboxes: below `inbox/` in our bucket, and in a folder that every worker sees. Each recorder has its own inbox.

INBOX_IN_STORE = env.flag("INBOX_IN_STORE", False)
INBOX_FOLDER = env.text("INBOX_FOLDER", "")

STORAGES = {
    "livekit": {
        "BACKEND": "archive.storage.backend.ObjectStorage",
        "OPTIONS": {
            **LIVEKIT_S3,
            "endpoint_url": LIVEKIT_S3_ENDPOINT_URL,
            **(VERIFY if LIVEKIT_S3_ENDPOINT_URL == S3_ENDPOINT_URL else {}),
        },
    },
    "default": {
        "BACKEND": "archive.storage.backend.ObjectStorage",
        "OPTIONS": {**S3, **VERIFY, "endpoint_url": S3_ENDPOINT_URL},
    },
    "public": {
        "BACKEND": "archive.storage.backend.ObjectStorage",
        "OPTIONS": {**S3, **VERIFY, "endpoint_url": S3_PUBLIC_ENDPOINT_URL},
    },
    "checkpoints": {
        "BACKEND": "archive.storage.backend.HastyObjectStorage",
        "OPTIONS": {
            **LOG_S3,
            "endpoint_url": LOG_S3_ENDPOINT_URL,
            **(VERIFY if LOG_S3_ENDPOINT_URL == S3_ENDPOINT_URL else {}),
        },
    },
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "portal.static_files.HashedModuleStorage"
    },
}

# Mail (archive/notices): without EMAIL_URL none is sent, and people find their notices on the page.

MAIL = env.mail("EMAIL_URL", id="spacekeep.E028")
DEFAULT_FROM_EMAIL = SERVER_EMAIL = env.text("MAIL_FROM", "")  # portal/checks.py requires one if mail is sent
# Processes without EMAIL_URL, because others send their notices, know from MAIL_FROM that mail is sent.
SENT_BY_OTHERS = bool(DEFAULT_FROM_EMAIL) and not processes.is_needed("EMAIL_URL", env.PROCESS)
MAIL_ON = bool(MAIL.host or MAIL.folder) or SENT_BY_OTHERS
EMAIL_BACKEND = MAIL.backend
EMAIL_FILE_PATH = MAIL.folder
EMAIL_HOST, EMAIL_PORT = MAIL.host, MAIL.port
EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = MAIL.user, MAIL.password
EMAIL_USE_TLS, EMAIL_USE_SSL = MAIL.starttls, MAIL.tls
MAIL_CA_BUNDLE = env.text("MAIL_CA_BUNDLE", "")  # authorities of the mail server, besides those of the system
EMAIL_TIMEOUT = 15  # seconds, for each response
