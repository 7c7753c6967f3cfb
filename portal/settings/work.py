"""Celery and its schedule (archive/leases.py): soft limit < hard limit < lease < visibility timeout."""

from datetime import timedelta

from kombu import Queue

from portal import env
from portal.settings.engines import INBOX_FOLDER, INBOX_IN_STORE, LIVEKIT_API_KEY

LEASE_SECONDS = env.number("LEASE_SECONDS", 600, least=2, id="spacekeep.E016")
# A worker that has not renewed its claims for so long counts as dead (archive/lease_renewal.py).
DEAD_WORKER_SECONDS = env.number("DEAD_WORKER_SECONDS", 45, least=2, id="spacekeep.E176")
DISPATCH_SECONDS = env.number("DISPATCH_SECONDS", 60, least=1, id="spacekeep.E017")
# Bundles of Spaces due within so many days are built before a host asks (archive/bundles/ahead.py); 0: never.
BUNDLE_AHEAD_DAYS = env.number("BUNDLE_AHEAD_DAYS", 7, least=0, most=3650, id="spacekeep.E120")

# A message that no worker takes for so long is dropped, because the dispatcher publishes due work again in each round.
# Long enough that a worker whose clock is minutes off does not drop new messages.
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
CELERY_WORKER_ENABLE_REMOTE_CONTROL = False  # nothing here uses it, and one message of it ends all workers
# Deletion has its own queue and its own worker, so that it does not wait behind bundles. Transcription takes minutes to
# hours, so it has its own queue too.
CELERY_TASK_QUEUES = (Queue("celery"), Queue("deletion"), Queue("transcription"))
CELERY_TASK_DEFAULT_QUEUE = "celery"
CELERY_TASK_ROUTES = {
    "archive.tasks.dispatch": {"queue": "deletion"},
    "archive.tasks.purge_space": {"queue": "deletion"},
    "archive.tasks.sequence_log": {"queue": "deletion"},  # the deleter has the signing key
    "archive.tasks.transcribe": {"queue": "transcription"},
    "archive.tasks.check_in": {"queue": "transcription"},
}
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TIMEZONE = "UTC"
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None  # a worker waits for its broker without a limit
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = False  # work is claimed: repeats do no harm
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": max(3600, 2 * LEASE_SECONDS),
    # A page that wakes a worker does not wait for a broker that is down: the row exists, so the work will be done.
    "socket_connect_timeout": 2,
    "max_retries": 1,
    "interval_start": 0,
    "socket_timeout": 10,
    "socket_keepalive": True,
    "health_check_interval": 25,
}
CELERY_BEAT_SCHEDULER = "portal.beat:Scheduler"
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
CELERY_BEAT_SCHEDULE["sequence-log"] = {
    "task": "archive.tasks.sequence_log",
    "schedule": timedelta(seconds=DISPATCH_SECONDS),
    "options": {"expires": MESSAGE_SECONDS},
}
CELERY_BEAT_SCHEDULE["publish-checkpoints"] = {  # not in the deleter: it must not wait for other people's servers
    "task": "archive.tasks.publish_checkpoints",
    "schedule": timedelta(seconds=DISPATCH_SECONDS),
    "options": {"expires": MESSAGE_SECONDS},
}
CELERY_BEAT_SCHEDULE["announce-overdue"] = {  # not in the dispatcher, which stops with the deleter
    "task": "archive.tasks.announce_overdue",
    "schedule": timedelta(seconds=DISPATCH_SECONDS),
    "options": {"expires": MESSAGE_SECONDS},
}
CELERY_BEAT_SCHEDULE["create-digests"] = {  # each round creates the missing digests of this week
    "task": "archive.tasks.create_digests",
    "schedule": timedelta(seconds=10 * DISPATCH_SECONDS),
    "options": {"expires": MESSAGE_SECONDS},
}
CELERY_BEAT_SCHEDULE["create-checkpoint-mails"] = {  # each round creates the missing mails of this day
    "task": "archive.tasks.create_checkpoint_mails",
    "schedule": timedelta(seconds=10 * DISPATCH_SECONDS),
    "options": {"expires": MESSAGE_SECONDS},
}
CELERY_BEAT_SCHEDULE["clean-inboxes"] = {  # even after inboxes were switched off, because their files have deadlines
    "task": "archive.tasks.clean_inboxes",
    "schedule": timedelta(seconds=10 * DISPATCH_SECONDS),
    "options": {"expires": MESSAGE_SECONDS},
}
CELERY_BEAT_SCHEDULE["rehearse-store"] = {  # it does its work once a day
    "task": "archive.tasks.rehearse_store",
    "schedule": timedelta(seconds=10 * DISPATCH_SECONDS),
    "options": {"expires": MESSAGE_SECONDS},
}
if BUNDLE_AHEAD_DAYS:
    CELERY_BEAT_SCHEDULE["build-bundles-ahead"] = {
        "task": "archive.tasks.build_bundles_ahead",
        "schedule": timedelta(seconds=DISPATCH_SECONDS),
        "options": {"expires": MESSAGE_SECONDS},
    }
if env.text("TRANSCRIPTION_MODEL", ""):
    CELERY_BEAT_SCHEDULE["check-in"] = {
        "task": "archive.tasks.check_in",
        "schedule": timedelta(seconds=DISPATCH_SECONDS),
        "options": {"expires": DISPATCH_SECONDS},  # otherwise they would pile up while the transcriber is busy
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
