"""Check settings at startup. Each error has an id and a hint."""

import importlib.util
import ssl
import sys
from collections.abc import Sequence
from email.utils import parseaddr
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.apps import AppConfig
from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, Error, Tags, register, run_checks
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import connections

from archive.language_tags import is_language_tag
from portal import database_checks, env, processes, self_tests

TAG = "spacekeep"
MIN_TOKEN = 20  # characters
# Without a local tokenizer, faster-whisper would download one.
MODEL_FILES = ("model.bin", "config.json", "tokenizer.json", "vocabulary.*")


@register(Tags.security, TAG)
def environment(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    errors = [Error(p.message, hint=p.hint, id=p.id) for p in env.problems]
    return [*errors, *(checks.Warning(p.message, hint=p.hint, id=p.id) for p in env.warnings)]


@register(Tags.security, TAG)
def private_keys(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Check that only the deleter can sign, if PROCESS names this process."""
    return [
        _can_sign(source, env.PROCESS)
        for name in processes.PRIVATE_KEYS
        if not processes.is_needed(name, env.PROCESS)
        for source in env.sources_of(name)
    ]


def private_keys_of_web() -> list[CheckMessage]:
    """Check that a web process without PROCESS can't sign either. Only in production: for evaluation, all processes may
    share one set of settings."""
    if env.PROCESS or not settings.SITE_URL.startswith("https:"):
        return []
    return [_can_sign(source, processes.WEB) for name in processes.PRIVATE_KEYS for source in env.sources_of(name)]


def _can_sign(source: str, process: str) -> CheckMessage:
    hint = f"Take {source} away from it, and set PROCESS={process}: only the process that deletes signs."
    return Error(f"{source} gives the {process} process a key that signs.", hint=hint, id="spacekeep.E146")


@register(TAG)
def transcription(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Check the settings of automatic transcripts. Does not load the model: that takes seconds, and only the
    transcriber needs it."""
    errors: list[CheckMessage] = []
    language = settings.TRANSCRIPTION_LANGUAGE
    # Whisper knows languages by codes of two or three letters, so `english` is a mistake.
    if language and not (is_language_tag(language) and len(language.partition("-")[0]) <= 3):
        hint = "It is a language tag such as en or pt-BR; empty: detected."
        errors.append(Error(f"TRANSCRIPTION_LANGUAGE is {language!r}.", hint=hint, id="spacekeep.E025"))
    if not settings.TRANSCRIPTION_MODEL:
        return errors
    missing = [name for name in MODEL_FILES if not list(Path(settings.TRANSCRIPTION_MODEL).glob(name))]
    if missing:
        message = f"TRANSCRIPTION_MODEL is {settings.TRANSCRIPTION_MODEL}, and it lacks {' and '.join(missing)}."
        hint = "It is a folder with a Whisper model in CTranslate2's format. Leave it empty to switch this off."
        errors.append(Error(message, hint=hint, id="spacekeep.E026"))
    if importlib.util.find_spec("faster_whisper") is None:
        hint = "Install requirements/transcription.txt (the extra `transcription`), or leave TRANSCRIPTION_MODEL empty."
        errors.append(
            Error("TRANSCRIPTION_MODEL is set, but faster-whisper is not installed.", hint=hint, id="spacekeep.E027")
        )
    return errors


@register(TAG)
def decoder(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Check that a hanging decoder is stopped before its task is: the end of the task would not show which file was the
    cause."""
    if settings.DECODER_SECONDS < settings.CELERY_TASK_SOFT_TIME_LIMIT:
        return []
    hint = f"It is less than 0.8 of LEASE_SECONDS ({settings.LEASE_SECONDS}); raise that for slow machines."
    return [Error(f"DECODER_SECONDS is {settings.DECODER_SECONDS}.", hint=hint, id="spacekeep.E082")]


@register(TAG)
def mail(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    if not settings.MAIL_ON:
        return []
    try:
        validate_email(parseaddr(settings.DEFAULT_FROM_EMAIL)[1])
    except ValidationError:
        hint = "With EMAIL_URL, it is whom mail is from, such as Spacekeep <no-reply@spaces.example.org>."
        return [Error(f"MAIL_FROM is {settings.DEFAULT_FROM_EMAIL!r}.", hint=hint, id="spacekeep.E029")]
    return []


@register(TAG)
def metrics(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Check that the token is hard to guess: everybody can request the URL, without limit."""
    if not 0 < len(settings.METRICS_TOKEN) < MIN_TOKEN:
        return []
    hint = f"It has {MIN_TOKEN} characters or more: openssl rand -hex 32. Leave it empty to switch metrics off."
    return [Error("METRICS_TOKEN is too short.", hint=hint, id="spacekeep.E181")]


@register(TAG)
def arrivals(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Check the settings of LiveKit, and the inbox folder."""
    errors: list[CheckMessage] = []
    folder = settings.INBOX_FOLDER
    if folder and not Path(folder).is_absolute():
        hint = "It is the absolute path of a folder that every worker sees."
        errors.append(Error(f"INBOX_FOLDER is {folder!r}.", hint=hint, id="spacekeep.E063"))
    if not settings.LIVEKIT_API_KEY:
        return errors
    for name in ("LIVEKIT_API_SECRET", "LIVEKIT_RECORDER", "LIVEKIT_BUCKET"):
        if not getattr(settings, name) and processes.is_needed(name, env.PROCESS):
            hint = "LIVEKIT_API_KEY is set, and needs it. docs/how-to/receive-from-livekit.md describes the settings."
            errors.append(Error(f"{name} is not set.", hint=hint, id="spacekeep.E064"))
    ours = (settings.S3_ENDPOINT_URL, settings.S3["bucket_name"])
    if ours == (settings.LIVEKIT_S3_ENDPOINT_URL, settings.LIVEKIT_BUCKET):
        hint = "LiveKit needs a bucket of its own: nothing but the archive may write into the archive's."
        errors.append(Error("LIVEKIT_BUCKET is the bucket of S3_BUCKET.", hint=hint, id="spacekeep.E065"))
    return errors


@register(TAG)
def second_bucket(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Check the settings of the second bucket: it must be a different bucket, with different credentials."""
    if not settings.LOG_BUCKET:
        return []
    messages: list[CheckMessage] = []
    if (settings.S3_ENDPOINT_URL, settings.S3["bucket_name"]) == (settings.LOG_S3_ENDPOINT_URL, settings.LOG_BUCKET):
        hint = "The archive empties its bucket, and nobody may empty this one."
        messages.append(Error("LOG_BUCKET is the bucket of S3_BUCKET.", hint=hint, id="spacekeep.E135"))
    for name, option in (("LOG_S3_ACCESS_KEY_ID", "access_key"), ("LOG_S3_SECRET_ACCESS_KEY", "secret_key")):
        if not settings.LOG_S3[option] and processes.is_needed(name, env.PROCESS):
            hint = "LOG_BUCKET is set, and needs credentials of its own."
            messages.append(Error(f"{name} is not set.", hint=hint, id="spacekeep.E134"))
    if settings.LOG_S3["access_key"] and settings.LOG_S3["access_key"] == settings.S3["access_key"]:
        hint = "Use others: who has the archive's credentials should not reach the log's second bucket."
        messages.append(checks.Warning("LOG_S3_ACCESS_KEY_ID is S3_ACCESS_KEY_ID.", hint=hint, id="spacekeep.W136"))
    return messages


@register(TAG)
def timestamps(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Check the settings of a time-stamp authority: its answers can't be verified without its certificates."""
    file = settings.LOG_TSA_CA
    if not settings.LOG_TSA_URL or not processes.is_needed("LOG_KEY", env.PROCESS) or (file and Path(file).is_file()):
        return []
    hint = "LOG_TSA_URL is set, and needs the certificates that issued the authority's, a file of PEM."
    return [Error(f"LOG_TSA_CA is {file!r}.", hint=hint, id="spacekeep.E139")]


@register(TAG)
def sign_in(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Check the settings of sign-in providers, and the list of breached passwords."""
    errors: list[CheckMessage] = []
    issuer = urlsplit(settings.OIDC_ISSUER)
    is_local = issuer.hostname in ("127.0.0.1", "localhost", "::1")
    if settings.OIDC_CLIENT_ID and not (issuer.hostname and (issuer.scheme == "https" or is_local)):
        hint = "OIDC_CLIENT_ID is set, and needs the provider's issuer: https://login.example.org"
        errors.append(Error(f"OIDC_ISSUER is {settings.OIDC_ISSUER!r}.", hint=hint, id="spacekeep.E075"))
    file = settings.BREACHED_PASSWORD_LIST
    if file and not Path(file).is_file():
        hint = "It is a sorted file of SHA-1 sums in hexadecimal, one a line. Leave it empty to switch this off."
        errors.append(Error(f"BREACHED_PASSWORD_LIST is {file!r}.", hint=hint, id="spacekeep.E074"))
    return errors


@register(TAG)
def webhooks(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Check the file of authorities for the certificates of webhook receivers."""
    return _authorities("WEBHOOK_CA_BUNDLE", settings.WEBHOOK_CA_BUNDLE, "spacekeep.E142")


@register(TAG)
def object_store(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Check the file of authorities for the certificate of the object store."""
    return _authorities("S3_CA_BUNDLE", settings.S3_CA_BUNDLE, "spacekeep.E174")


@register(TAG)
def mail_server(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Check the file of authorities that the mail server is verified with."""
    return _authorities("MAIL_CA_BUNDLE", settings.MAIL_CA_BUNDLE, "spacekeep.E177")


def _authorities(name: str, file: str, id: str) -> list[CheckMessage]:
    try:
        if file:
            ssl.create_default_context(cafile=file)
    except (OSError, ssl.SSLError):
        hint = "It is a file with certificates in PEM format. Leave it empty to trust the system's authorities only."
        return [Error(f"{name} is {file!r}.", hint=hint, id=id)]
    return []


def stop_if_wrong(*more: CheckMessage, serves_as: Sequence[str] = (), asks_database: bool = True) -> None:
    """Exit if a setting is wrong, if the process can't do its work, or if the database is older than this version. Web
    servers and workers call this, because they don't run Django's system checks. Prints warnings, too.

    `more` has what only this process checks, `serves_as` what it is if PROCESS does not name it (portal/processes.py).
    Without `asks_database` an older database is no reason, nor one that is down.
    Exit status 3 is gunicorn's own for a worker that can't start: after any other it would start another, for ever.
    """
    messages = [*run_checks(tags=[TAG]), *more]
    if not any(message.is_serious() for message in messages):
        messages += self_tests.failures(*([env.PROCESS] if env.PROCESS else serves_as))
    asks_database = asks_database and processes.is_needed("DATABASE_URL", env.PROCESS)
    if asks_database and not any(message.is_serious() for message in messages):
        messages += [*database_checks.idle_transactions(["default"]), *database_checks.schema_is_older()]
    connections.close_all()  # before workers are forked
    sys.stderr.writelines(f"{m.id}: {m.msg} {m.hint or ''}".rstrip() + "\n" for m in messages)
    sys.stderr.flush()
    if any(message.is_serious() for message in messages):
        sys.exit(3)
