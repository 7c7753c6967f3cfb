"""Which process needs which secret. PROCESS names the process of this environment; without it, every secret is needed.

A process starts without the secrets of others, and stops with a hint where one of its own is missing (portal/env.py).
docs/operations.md has the same table, and docker-compose.yml follows it.
"""

WEB, HEALTH, BEAT, SETUP = "web", "health", "beat", "setup"
WORKER, DELETER, TRANSCRIBER = "worker", "deleter", "transcriber"
ALL = (WEB, HEALTH, WORKER, DELETER, TRANSCRIBER, BEAT, SETUP)

WITH_TASKS = {WEB, WORKER, DELETER, TRANSCRIBER, BEAT}
WITH_CONTENT = {WEB, WORKER, DELETER, TRANSCRIBER, SETUP}
NEEDED_BY: dict[str, set[str]] = {
    "SECRET_KEY": {WEB, WORKER},  # the worker signs links in mails, and webhooks
    "SECRET_KEY_FALLBACKS": {WEB, WORKER},
    "CERTIFICATE_KEY": {DELETER},
    "CERTIFICATE_PUBLIC_KEYS": {WEB},
    "LOG_KEY": {DELETER},
    # The worker verifies the log when an auditor asks for it; restore_check verifies the copy of a log (setup).
    "LOG_PUBLIC_KEYS": {WEB, WORKER, SETUP},
    "DATABASE_URL": {*ALL} - {BEAT},
    "DATABASE_OWNER_URL": {SETUP},
    "BROKER_URL": WITH_TASKS | {HEALTH},  # health checks it, and counts waiting messages
    "S3_ACCESS_KEY_ID": WITH_CONTENT,
    "S3_SECRET_ACCESS_KEY": WITH_CONTENT,
    "EMAIL_URL": {WEB, WORKER},
    "OIDC_CLIENT_SECRET": {WEB},
    "X_CLIENT_SECRET": {WEB},
    "LIVEKIT_API_SECRET": {WEB, WORKER},
    "LIVEKIT_S3_SECRET_ACCESS_KEY": {WORKER},
    "LOG_S3_SECRET_ACCESS_KEY": {WORKER, DELETER, SETUP},
    "METRICS_TOKEN": {WEB, HEALTH, WORKER, DELETER, TRANSCRIBER},
}
# Signing keys. Without them, an attacker who controls the web process can read and change much, but can't sign.
PRIVATE_KEYS = ("CERTIFICATE_KEY", "LOG_KEY")


def is_secret(name: str) -> bool:
    return name in NEEDED_BY and not name.endswith("_PUBLIC_KEYS")


def is_needed(name: str, process: str) -> bool:
    """Whether a process needs a setting. All processes need settings that are not secret. An empty `process` needs
    all."""
    return not process or process in NEEDED_BY.get(name, ALL)
