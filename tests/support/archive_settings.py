"""Settings that run the archive without the site.

They contain only what the archive needs: `portal` is not installed, and only templates in templates/archive/ are found.
Run the archive's own tests with them: `make test-archive`.
"""

import base64
import ipaddress
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

import structlog
from django.template import Origin
from django.template.loaders.filesystem import Loader

BASE_DIR = Path(__file__).resolve().parent.parent.parent


class ArchiveTemplates(Loader):
    """Find the archive's templates and no others."""

    def get_template_sources(self, template_name: str) -> Iterator[Origin]:
        return super().get_template_sources(template_name) if template_name.startswith("archive/") else iter(())


INSTALLED_APPS = [
    "archive.apps.ArchiveConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.postgres",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
]
ROOT_URLCONF = "tests.support.archive_urls"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "OPTIONS": {"loaders": ["tests.support.archive_settings.ArchiveTemplates"]},
    }
]
SECRET_KEY = os.environ["SECRET_KEY"]
SITE_URL = os.environ["SITE_URL"]
OPERATOR_NAME = ""
OPERATOR_CONTACT = ""
AUTH_USER_MODEL = "archive.User"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True
STATIC_URL = "static/"
STATIC_ROOT = os.environ["STATIC_ROOT"]

_database = urlsplit(os.environ["DATABASE_URL"])
_owner = urlsplit(os.environ.get("DATABASE_OWNER_URL", ""))
DATABASE_OWNER = {
    name: value
    for name, value in (
        ("USER", unquote(_owner.username or "")),
        ("PASSWORD", unquote(_owner.password or "")),
        ("HOST", unquote(_owner.hostname or "")),
        ("PORT", _owner.port or ""),
    )
    if value
}
DATABASE_ROLE = unquote(_database.username or "")
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": _database.path.lstrip("/"),
        "USER": unquote(_database.username or ""),
        "PASSWORD": unquote(_database.password or ""),
        "HOST": unquote(_database.hostname or ""),
        "PORT": _database.port or "",
    }
}
S3 = {
    "bucket_name": os.environ["S3_BUCKET"],
    "access_key": os.environ["S3_ACCESS_KEY_ID"],
    "secret_key": os.environ["S3_SECRET_ACCESS_KEY"],
    "region_name": os.environ["S3_REGION"],
    "signature_version": "s3v4",
    "addressing_style": "path",
    "default_acl": None,
}
S3_ENDPOINT_URL = os.environ["S3_ENDPOINT_URL"]
S3_PUBLIC_ENDPOINT_URL = os.environ["S3_PUBLIC_ENDPOINT_URL"]
S3_CORS = "bucket"
S3_CA_BUNDLE = ""
S3_ENCRYPTION: dict[str, str] = {}
STORAGES = {
    "livekit": {
        "BACKEND": "archive.storage.backend.ObjectStorage",
        "OPTIONS": {**S3, "bucket_name": "", "endpoint_url": S3_ENDPOINT_URL},
    },
    "default": {
        "BACKEND": "archive.storage.backend.ObjectStorage",
        "OPTIONS": {**S3, "endpoint_url": S3_ENDPOINT_URL},
    },
    "public": {
        "BACKEND": "archive.storage.backend.ObjectStorage",
        "OPTIONS": {**S3, "endpoint_url": S3_PUBLIC_ENDPOINT_URL},
    },
    "checkpoints": {
        "BACKEND": "archive.storage.backend.HastyObjectStorage",
        "OPTIONS": {**S3, "bucket_name": "", "endpoint_url": S3_ENDPOINT_URL},
    },
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}

RETENTION_DAYS, VIOLATION_EXTRA_DAYS, LIFT_GRACE_DAYS = 30, 90, 7
HOLD_RELEASE_NEEDS_SECOND_ADMIN, APPEAL_NEEDS_SECOND_ADMIN = True, True
MAX_RECORDING_SECONDS = 24 * 3600
MAX_UPLOAD_BYTES = 5 * 10**9
MAX_OPEN_UPLOADS = 10
UPLOAD_PART_BYTES = 16 * 1024**2
BUNDLE_KEEP_DAYS = 7
READ_BACK_BYTES_PER_SECOND = 32 * 1024**2
BUNDLE_AHEAD_DAYS = 7
BUNDLE_MISSING_OBJECTS = "fail"
SIGNED_URL_SECONDS = 300
CERTIFICATE_PUBLIC_KEYS: list[bytes] = []
CERTIFICATE_KEY = base64.b64decode(os.environ["CERTIFICATE_KEY"])
LOG_KEY = base64.b64decode(os.environ["LOG_KEY"])
LOG_PUBLIC_KEYS: list[bytes] = []
LOG_WITNESSES: list[tuple[str, str]] = []
LOG_CHECKPOINT_MAIL: list[str] = []
LOG_TSA_URL, LOG_TSA_CA, LOG_TSA_SECONDS = "", "", 3600
LOG_BUCKET, LOG_S3_ENDPOINT_URL, LOG_LOCK_MODE, LOG_LOCK_DAYS = "", S3_ENDPOINT_URL, "COMPLIANCE", 400
LOG_ORIGIN, LOG_CHECKPOINT_SECONDS = "127.0.0.1:8000/log", 600
SPOOL_DIR = tempfile.gettempdir()
DECODER_MEMORY_BYTES, DECODER_SECONDS = 1024**3, 360
MAX_HOST_BYTES = 10**12
RATE_LIMITS = {"space": (1000, 86400)}
MAX_RECORDING_SAMPLES, EXAMINATIONS_PER_HOST = 10**10, 1
TRANSCRIPTION_MODEL, TRANSCRIPTION_LANGUAGE, TRANSCRIPTION_THREADS = "", "", 2
LIVEKIT_API_KEY, LIVEKIT_API_SECRET, LIVEKIT_RECORDER, LIVEKIT_URL = "", "", "", ""
LIVEKIT_PREFIX, LIVEKIT_DELETE_SOURCE, LIVEKIT_WAIT_SECONDS = "", False, 60
INBOX_IN_STORE, INBOX_FOLDER = False, ""
LEASE_SECONDS, MESSAGE_SECONDS = int(os.environ["LEASE_SECONDS"]), 600
DEAD_WORKER_SECONDS, DISPATCH_SECONDS = int(os.environ["DEAD_WORKER_SECONDS"]), int(os.environ["DISPATCH_SECONDS"])
WEBHOOK_ALLOWED_NETWORKS: list[ipaddress.IPv4Network] = []
WEBHOOK_ALLOW_HTTP, WEBHOOK_CA_BUNDLE, WEBHOOK_STOP_DAYS = False, "", 5
MAIL_ON = False
DEFAULT_FROM_EMAIL = ""

if os.environ.get("DJANGO_SETTINGS_MODULE") == __name__:  # not if a test of the site imports these settings
    structlog.configure(  # as in the site, so that caplog contains log messages
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.stdlib.add_log_level,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )
