"""What stops the start: settings that are missing or can't be right. Each has an id and a hint."""

import importlib.util
import re
import sys
from collections.abc import Sequence
from email.utils import parseaddr
from pathlib import Path
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register, run_checks
from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.core.validators import validate_email

from archive.display.assets import assets
from portal import env

TAG = "spacekeep"
LANGUAGE = re.compile(r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*$")
# Without its tokenizer, faster-whisper would look for one on the network.
MODEL_FILES = ("model.bin", "config.json", "tokenizer.json", "vocabulary.*")


@register(Tags.security, TAG)
def environment(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    return [Error(p.message, hint=p.hint, id=p.id) for p in env.problems]


@register(TAG)
def speech(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """What automatic transcripts need. Nothing of it is loaded: that takes seconds, and only one process needs it."""
    found: list[CheckMessage] = []
    language = settings.TRANSCRIPTION_LANGUAGE
    if language and (len(language) > 16 or not LANGUAGE.match(language)):
        hint = "It is a language tag such as en or pt-BR; empty: found out by listening."
        found.append(Error(f"TRANSCRIPTION_LANGUAGE is {language!r}.", hint=hint, id="spacekeep.E025"))
    if not settings.TRANSCRIPTION_MODEL:
        return found
    missing = [name for name in MODEL_FILES if not list(Path(settings.TRANSCRIPTION_MODEL).glob(name))]
    if missing:
        said = f"TRANSCRIPTION_MODEL is {settings.TRANSCRIPTION_MODEL}, and there is no {' and no '.join(missing)}."
        hint = "It is a folder with a Whisper model as CTranslate2 has it. Leave it empty to switch this off."
        found.append(Error(said, hint=hint, id="spacekeep.E026"))
    if importlib.util.find_spec("faster_whisper") is None:
        hint = "Install requirements/transcription.txt (the extra `speech`), or leave TRANSCRIPTION_MODEL empty."
        found.append(
            Error("TRANSCRIPTION_MODEL is set, but faster-whisper is not installed.", hint=hint, id="spacekeep.E027")
        )
    return found


def bundle_page() -> list[CheckMessage]:
    """What the page in each bundle is made from: without it no bundle could be built, and no page could name one. It
    stops servers and workers only: who checks or migrates needs nothing from npm."""
    try:
        assets()
    except ImproperlyConfigured as error:
        hint = "Run npm ci --omit=dev and npm run build."
        return [Error(f"The page of a bundle can't be made: {error}", hint=hint, id="spacekeep.E032")]
    return []


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


def stop_if_wrong() -> None:
    """For web servers and workers, which run no system checks by themselves.

    The exit status is gunicorn's own for a worker that can't start: after any other it starts the next one, for ever.
    """
    if errors := [message for message in [*run_checks(tags=[TAG]), *bundle_page()] if message.is_serious()]:
        sys.stderr.writelines(f"{m.id}: {m.msg} {m.hint or ''}".rstrip() + "\n" for m in errors)
        sys.stderr.flush()
        sys.exit(3)
