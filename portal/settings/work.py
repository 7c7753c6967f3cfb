"""Celery and its schedule (archive/leases.py): soft limit < hard limit < lease < visibility timeout."""

from datetime import timedelta

from kombu import Queue

from portal import env
from portal.settings.engines import INBOX_FOLDER, INBOX_IN_STORE, LIVEKIT_API_KEY

LEASE_SECONDS = env.number("LEASE_SECONDS", 600, least=2, id="spacekeep.E016")
# A worker whose thread has not renewed its claims for so long is dead (archive/lease_renewal.py).
DEAD_WORKER_SECONDS = env.number("DEAD_WORKER_SECONDS", 45, least=2, id="spacekeep.E176")
DISPATCH_SECONDS = env.number("DISPATCH_SECONDS", 60, least=1, id="spacekeep.E017")
# Bundles of Spaces due within so many days are built before a host asks (archive/bundles/ahead.py); 0: never.
BUNDLE_AHEAD_DAYS = env.number("BUNDLE_AHEAD_DAYS", 7, least=0, most=3650, id="spacekeep.E120")

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
CELERY_WORKER_ENABLE_REMOTE_CONTROL = False  # nothing here uses it, and one message of it ends all workers
# Deletion has a queue of its own, so that a worker can be kept for it: a promise does not wait behind bundles.
# Speech to text takes minutes to hours, and has one too.
CELERY_TASK_QUEUES = (Queue("celery"), Queue("deletion"), Queue("transcription"))
CELERY_TASK_DEFAULT_QUEUE = "celery"
CELERY_TASK_ROUTES = {
    "archive.tasks.dispatch": {"queue": "deletion"},
    "archive.tasks.purge_space": {"queue": "deletion"},
    "archive.tasks.sequence_log": {"queue": "deletion"},  # the process that deletes has the key that signs
    "archive.tasks.transcribe": {"queue": "transcription"},
    "archive.tasks.check_in": {"queue": "transcription"},
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
CELERY_BEAT_SCHEDULE["publish-checkpoints"] = {  # not where they are signed: deletions wait for nobody else's server
    "task": "archive.tasks.publish_checkpoints",
    "schedule": timedelta(seconds=DISPATCH_SECONDS),
    "options": {"expires": MESSAGE_SECONDS},
}
CELERY_BEAT_SCHEDULE["announce-overdue"] = {  # not by the dispatcher: it stops with the process that deletes
    "task": "archive.tasks.announce_overdue",
    "schedule": timedelta(seconds=DISPATCH_SECONDS),
    "options": {"expires": MESSAGE_SECONDS},
}
CELERY_BEAT_SCHEDULE["create-digests"] = {  # each round creates what this week lacks
    "task": "archive.tasks.create_digests",
    "schedule": timedelta(seconds=10 * DISPATCH_SECONDS),
    "options": {"expires": MESSAGE_SECONDS},
}
CELERY_BEAT_SCHEDULE["create-checkpoint-mails"] = {  # each round creates what this day lacks
    "task": "archive.tasks.create_checkpoint_mails",
    "schedule": timedelta(seconds=10 * DISPATCH_SECONDS),
    "options": {"expires": MESSAGE_SECONDS},
}
CELERY_BEAT_SCHEDULE["clean-inboxes"] = {  # also after they were switched off: what lies there has a deadline
    "task": "archive.tasks.clean_inboxes",
    "schedule": timedelta(seconds=10 * DISPATCH_SECONDS),
    "options": {"expires": MESSAGE_SECONDS},
}
CELERY_BEAT_SCHEDULE["rehearse-store"] = {  # it does something once a day
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
        "options": {"expires": DISPATCH_SECONDS},  # a busy transcriber would find a pile of them
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
