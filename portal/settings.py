"""All settings, from the environment. docs/operations.md lists the variables; portal/checks.py refuses wrong ones."""

import tempfile
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import environ
import structlog
from csp.constants import NONCE, NONE, SELF
from kombu import Queue

from portal import env

BASE_DIR = Path(__file__).resolve().parent.parent

# Who we are

SECRET_KEY = env.text("SECRET_KEY", id="spacekeep.E001", hint="A long random text, the same for web, worker and beat.")
DEBUG = env.flag("DEBUG", False)
SITE_URL = env.origin("SITE_URL", id="spacekeep.E002", hint="The address at which people open the portal.")
HTTPS = SITE_URL.startswith("https:")
ALLOWED_HOSTS = env.comma_list("ALLOWED_HOSTS", [urlsplit(SITE_URL).hostname or "localhost"])
CSRF_TRUSTED_ORIGINS = [SITE_URL] if SITE_URL else []

INSTALLED_APPS = [
    "archive.apps.ArchiveConfig",
    "portal.apps.PortalConfig",
    "portal.apps.AdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.postgres",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "csp",
    "allauth",
    "allauth.account",
]
MIDDLEWARE = [
    "portal.api.problems.ProblemJsonMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "portal.middleware.NeverCacheMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "portal.middleware.TimeZoneMiddleware",
    "portal.middleware.ErrorPagesMiddleware",
]
ROOT_URLCONF = "portal.urls"
WSGI_APPLICATION = "portal.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

# The retention rule (archive/policy.py)

RETENTION_DAYS = env.number("RETENTION_DAYS", 30, least=1, id="spacekeep.E011")
VIOLATION_EXTRA_DAYS = env.number("VIOLATION_EXTRA_DAYS", 90, least=0, id="spacekeep.E012")
LIFT_GRACE_DAYS = env.number("LIFT_GRACE_DAYS", 7, least=0, id="spacekeep.E013")
HOLD_RELEASE_NEEDS_SECOND_ADMIN = env.flag(
    "HOLD_RELEASE_NEEDS_SECOND_ADMIN", True
)  # a legal hold is released by another admin than placed it
MAX_RECORDING_SECONDS = env.number("MAX_RECORDING_SECONDS", 24 * 3600, least=1, id="spacekeep.E014")
MAX_UPLOAD_BYTES = env.number("MAX_UPLOAD_BYTES", 5 * 1024**3, least=1, most=5 * 1024**4, id="spacekeep.E019")
MAX_OPEN_UPLOADS = env.number("MAX_OPEN_UPLOADS", 10, least=1, id="spacekeep.E020")  # of one user or recorder
UPLOAD_PART_BYTES = env.number(
    "UPLOAD_PART_BYTES", 16 * 1024**2, least=5 * 1024**2, most=5 * 1024**3, id="spacekeep.E021"
)
BUNDLE_KEEP_DAYS = env.number(
    "BUNDLE_KEEP_DAYS", 7, least=1, id="spacekeep.E030"
)  # unfetched for so long, a bundle is removed
# When the store has lost something that belongs into a bundle: `fail` says so instead of making one; `list` makes one
# without it, and names it in data/missing.txt.
BUNDLE_MISSING_OBJECTS = env.choice("BUNDLE_MISSING_OBJECTS", ("fail", "list"), id="spacekeep.E031")
SIGNED_URL_SECONDS = env.number("SIGNED_URL_SECONDS", 300, least=1, most=300, id="spacekeep.E015")

# Certificates of deletion are signed with it (archive/retention/certificate.py): the seed of an Ed25519 key.

CERTIFICATE_KEY = env.seed(
    "CERTIFICATE_KEY",
    id="spacekeep.E040",
    hint="Make one with: openssl rand -base64 32. Keep it for as long as you can.",
)

# Listening to what people bring: in a child process with limits (archive/intake/audio/measure.py)

SPOOL_DIR = env.text("SPOOL_DIR", tempfile.gettempdir())  # where a recording lies while it is listened to
DECODER_MEMORY_BYTES = env.number(
    "DECODER_MEMORY_BYTES", 1024**3, least=256 * 1024**2, most=64 * 1024**3, id="spacekeep.E022"
)
DECODER_SECONDS = env.number("DECODER_SECONDS", 3600, least=1, id="spacekeep.E023")  # of wall time, and of CPU time

# Automatic transcripts: the extra `transcription`, and a folder with a Whisper model for CTranslate2. Empty: off.

TRANSCRIPTION_MODEL = env.text("TRANSCRIPTION_MODEL", "")
TRANSCRIPTION_LANGUAGE = env.text("TRANSCRIPTION_LANGUAGE", "")  # BCP 47; empty: detected
TRANSCRIPTION_THREADS = env.number("TRANSCRIPTION_THREADS", 2, least=1, most=256, id="spacekeep.E024")

# Engines

DATABASE_URL = env.address(
    "DATABASE_URL",
    ("postgres", "postgresql"),
    id="spacekeep.E003",
    hint="postgres://user:password@host:5432/spacekeep",
)
IDLE_TRANSACTION_SECONDS = env.number("IDLE_TRANSACTION_SECONDS", 60, least=1, id="spacekeep.E018")
DATABASE = environ.Env.db_url_config(DATABASE_URL or "postgres://localhost/spacekeep")
DATABASES = {
    "default": {
        **DATABASE,
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {
            "connect_timeout": 5,
            # End the transaction of a stopped process: its locks would block a deletion.
            "options": f"-c idle_in_transaction_session_timeout={IDLE_TRANSACTION_SECONDS}s",
            **DATABASE.get("OPTIONS", {}),  # what the address asks for: sslmode and the like
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
    "addressing_style": "path",
    "default_acl": None,
}
# Two addresses of one store: the one that servers use, and the one that browsers see and that URLs are signed for.
S3_ENDPOINT_URL = env.origin("S3_ENDPOINT_URL", id="spacekeep.E007", hint="The store's address for servers.")
S3_PUBLIC_ENDPOINT_URL = env.origin(
    "S3_PUBLIC_ENDPOINT_URL", S3_ENDPOINT_URL, id="spacekeep.E008", hint="The store's address for browsers."
)

# Recordings that arrive by themselves (archive/intake/arrivals). LiveKit: off without LIVEKIT_API_KEY. Its recordings
# lie in a bucket of their own, by default in our store and with our key. No event can name another address or bucket.

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

# Inboxes: below `inbox/` in our bucket, and a folder that every worker sees. Each recorder has a place of its own.

INBOX_IN_STORE = env.flag("INBOX_IN_STORE", False)
INBOX_FOLDER = env.text("INBOX_FOLDER", "")

STORAGES = {
    "livekit": {
        "BACKEND": "archive.storage.backend.ObjectStorage",
        "OPTIONS": {**LIVEKIT_S3, "endpoint_url": LIVEKIT_S3_ENDPOINT_URL},
    },
    "default": {
        "BACKEND": "archive.storage.backend.ObjectStorage",
        "OPTIONS": {**S3, "endpoint_url": S3_ENDPOINT_URL},
    },
    "public": {
        "BACKEND": "archive.storage.backend.ObjectStorage",
        "OPTIONS": {**S3, "endpoint_url": S3_PUBLIC_ENDPOINT_URL},
    },
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "portal.static_files.HashedModuleStorage"
    },
}

# Mail (archive/notices): without EMAIL_URL none is sent, and people find their notices on the page.

MAIL = env.mail("EMAIL_URL", id="spacekeep.E028")
MAIL_ON = bool(MAIL.host or MAIL.folder)
DEFAULT_FROM_EMAIL = SERVER_EMAIL = env.text("MAIL_FROM", "")  # portal/checks.py wants one where mail is sent
EMAIL_BACKEND = MAIL.backend
EMAIL_FILE_PATH = MAIL.folder
EMAIL_HOST, EMAIL_PORT = MAIL.host, MAIL.port
EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = MAIL.user, MAIL.password
EMAIL_USE_TLS, EMAIL_USE_SSL = MAIL.starttls, MAIL.tls
EMAIL_TIMEOUT = 15  # seconds, of each answer

# Work (archive/leases.py): soft limit < hard limit < lease < visibility timeout

LEASE_SECONDS = env.number("LEASE_SECONDS", 600, least=2, id="spacekeep.E016")
DISPATCH_SECONDS = env.number("DISPATCH_SECONDS", 60, least=1, id="spacekeep.E017")

# A message that no worker took for so long is dropped: each round of the dispatcher publishes what is still due. Long
# enough that hosts whose clocks disagree by minutes do not take a fresh message for an old one.
MESSAGE_SECONDS = max(600, 2 * DISPATCH_SECONDS)

CELERY_BROKER_URL = env.address(
    "BROKER_URL", ("redis", "rediss", "sentinel"), id="spacekeep.E009", hint="redis://:password@host:6379/0"
)
CELERY_TASK_SOFT_TIME_LIMIT = LEASE_SECONDS * 0.8
CELERY_TASK_TIME_LIMIT = LEASE_SECONDS * 0.9
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
# Deletion has a queue of its own, so that a worker can be kept for it: a promise does not wait behind bundles.
# Speech to text takes minutes to hours, and has one too.
CELERY_TASK_QUEUES = (Queue("celery"), Queue("deletion"), Queue("transcription"))
CELERY_TASK_DEFAULT_QUEUE = "celery"
CELERY_TASK_ROUTES = {
    "archive.tasks.dispatch": {"queue": "deletion"},
    "archive.tasks.purge_space": {"queue": "deletion"},
    "archive.tasks.transcribe": {"queue": "transcription"},
}
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TIMEZONE = "UTC"
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None  # a worker waits for its broker for as long as it takes
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = False  # work in hand is claimed: twice does no harm
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": max(3600, 2 * LEASE_SECONDS),
    # A page that wakes a worker up does not wait for a broker that is down: the row is there, that is what counts.
    "socket_connect_timeout": 2,
    "max_retries": 1,
    "interval_start": 0,
    "socket_timeout": 10,
    "socket_keepalive": True,
    "health_check_interval": 25,
}
CELERY_BEAT_SCHEDULE = {
    "dispatch": {
        "task": "archive.tasks.dispatch",
        "schedule": timedelta(seconds=DISPATCH_SECONDS),
        "options": {"expires": MESSAGE_SECONDS},
    },
    "remind": {  # a reminder may come minutes late
        "task": "archive.tasks.create_reminders",
        "schedule": timedelta(seconds=10 * DISPATCH_SECONDS),
        "options": {"expires": MESSAGE_SECONDS},
    },
}
if INBOX_IN_STORE or INBOX_FOLDER:
    CELERY_BEAT_SCHEDULE["scan-inboxes"] = {
        "task": "archive.tasks.scan_inboxes",
        "schedule": timedelta(seconds=DISPATCH_SECONDS),
        "options": {"expires": MESSAGE_SECONDS},
    }
if LIVEKIT_API_KEY:
    CELERY_BEAT_SCHEDULE["poll-livekit"] = {
        "task": "archive.tasks.poll_livekit",
        "schedule": timedelta(seconds=5 * DISPATCH_SECONDS),
        "options": {"expires": MESSAGE_SECONDS},
    }

# Signing in

AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "spaces"
ACCOUNT_ADAPTER = "portal.adapter.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"username", "email"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "email", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
# allauth counts failed sign-ins here. In the database, so that all web processes count together.
CACHES = {"default": {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "cache"}}

# What browsers may do

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "style-src": [SELF, NONCE],  # the waveform brings a style of its own; other pages have no nonce
        "img-src": [SELF, "data:"],
        "media-src": [SELF, S3_PUBLIC_ENDPOINT_URL],
        "connect-src": [SELF, S3_PUBLIC_ENDPOINT_URL],
        "object-src": [NONE],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}
X_FRAME_OPTIONS = "DENY"
SECURE_SSL_REDIRECT = HTTPS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if env.flag("BEHIND_PROXY", False) else None
ALLAUTH_TRUSTED_PROXY_COUNT = 1 if SECURE_PROXY_SSL_HEADER else 0  # whose failed sign-ins are counted together
SECURE_REDIRECT_EXEMPT = [r"^healthz$"]
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = HTTPS
SECURE_HSTS_PRELOAD = HTTPS
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_SECURE = HTTPS
SESSION_COOKIE_HTTPONLY = True
CSRF_COOKIE_SECURE = HTTPS
CSRF_COOKIE_HTTPONLY = True

# Words, times, files

LANGUAGE_CODE = "en-gb"
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = True
LANGUAGES = [("en-gb", "English")]  # English only for now; text is marked for translation all the same
LOCALE_PATHS = [BASE_DIR / "locale"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
STATIC_URL = "static/"
STATIC_ROOT = env.text("STATIC_ROOT", str(BASE_DIR / ".data" / "static"))
NODE_MODULES = BASE_DIR / "node_modules"
# Prefix below STATIC_URL: folder in node_modules, and the files of it that are served.
VENDOR_FILES = {
    "htmx": ("htmx.org/dist", ["htmx.min.js"]),
    "uppy": ("uppy/dist", ["uppy.min.mjs"]),
    "wavesurfer": ("wavesurfer.js/dist", ["wavesurfer.esm.js"]),
    "zip": ("@zip.js/zip.js", ["index-native.min.js"]),
}
STATICFILES_FINDERS = [
    "django.contrib.staticfiles.finders.AppDirectoriesFinder",
    "portal.static_files.VendorFinder",
]

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "json": {
            "()": "structlog.stdlib.ProcessorFormatter",
            "processors": [
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                structlog.processors.JSONRenderer(),
            ],
            "foreign_pre_chain": [
                structlog.stdlib.add_log_level,
                structlog.stdlib.add_logger_name,
                structlog.processors.TimeStamper(fmt="iso", utc=True),
            ],
        }
    },
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json"}},
    "root": {"handlers": ["stderr"], "level": env.text("LOG_LEVEL", "INFO").upper()},
    # 404s are not incidents, and our own errors already report botocore's retries.
    "loggers": {
        "botocore": {"level": "WARNING"},
        "boto3": {"level": "WARNING"},
        "django.request": {"level": "ERROR"},
        "faster_whisper": {"level": "WARNING"},  # below, it would quote what people say
    },
}
structlog.configure(
    processors=[
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
    ],
    logger_factory=structlog.stdlib.LoggerFactory(),
    wrapper_class=structlog.stdlib.BoundLogger,
    cache_logger_on_first_use=True,
)
