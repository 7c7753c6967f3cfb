"""The sentences for the codes of errors and problems, and how they are rendered.

Codes and parameters are stored, and sentences are rendered when they are shown, so they can be translated and
corrected. A template names its parameters and their formats: {limit:size}, {until:time}, {names:list}. Every code
accepts the parameter `file`: the sentence then begins with the file's name.
"""

import string
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.utils.translation import gettext

from archive import formatting
from archive.error_messages import (
    accounts,
    api,
    arrivals,
    audio,
    bundles,
    editing,
    importers,
    intake,
    invitations,
    limits,
    mail,
    moderation,
    search,
    storage,
    transcription,
    transcripts,
    transparency,
    trials,
    uploads,
    webhooks,
    work,
)

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

Problem = Mapping[str, Any]  # {"code": ..., "params": {...}}, as archive/errors.py makes it

AREAS = (
    accounts,
    api,
    arrivals,
    audio,
    bundles,
    editing,
    importers,
    intake,
    invitations,
    limits,
    mail,
    moderation,
    search,
    storage,
    transcription,
    transcripts,
    transparency,
    trials,
    uploads,
    webhooks,
    work,
)
CATALOG: "Mapping[str, StrOrPromise]" = {code: text for area in AREAS for code, text in area.MESSAGES.items()}
SHOWN = 5  # items of a list at most


def render(problem: Problem) -> str:
    """Return the sentence of a problem in the current language; "" for {}. Shows an unknown code as it is, and a
    missing parameter as "?": a row may be older, or newer, than the code."""
    if not problem:
        return ""
    params = problem["params"]
    template = CATALOG.get(problem["code"], problem["code"].replace("{", "{{").replace("}", "}}"))
    sentence = _FORMATTER.vformat(str(template), (), params)
    if "file" in params:
        return gettext("{file}: {sentence}").format(file=params["file"], sentence=sentence)
    return sentence


def placeholders(template: str) -> dict[str, str]:
    """Return {parameter name: format} of a template."""
    return {name: spec or "" for _text, name, spec, _conversion in string.Formatter().parse(template) if name}


def _list(values: Sequence[Any]) -> str:
    shown, rest = [str(value) for value in values[:SHOWN]], len(values) - SHOWN
    more = [gettext("and {rest} more").format(rest=formatting.format_number(rest))] if rest > 0 else []
    return ", ".join(shown + more)


def _messages(problems: Sequence[Problem]) -> str:
    return "; ".join(render(problem) for problem in problems)


def _label(model: str, choices: str) -> Callable[[str], str]:
    """Return a function that shows a state by its label."""

    def show(value: str) -> str:
        known = dict(getattr(apps.get_model("archive", model), choices).choices)
        return str(known.get(value, value))

    return show


FORMATS: dict[str, Callable[[Any], str]] = {
    "": str,
    "appeal": _label("Appeal", "State"),
    "duration": formatting.format_duration,
    "kind": _label("UploadSession", "Kind"),
    "list": _list,
    "message": render,
    "messages": _messages,
    "number": formatting.format_number,
    "scope": _label("RecorderToken", "Scope"),
    "size": formatting.format_size,
    "space": _label("Space", "State"),
    "time": lambda value: formatting.format_time(datetime.fromisoformat(value)),
    "upload": _label("UploadSession", "State"),
    "stop": _label("WebhookEndpoint", "Stop"),
}


class _Missing:
    def __str__(self) -> str:
        return "?"


class _Formatter(string.Formatter):
    def get_value(self, key: int | str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        return kwargs.get(str(key), _MISSING)

    def format_field(self, value: Any, format_spec: str) -> str:
        return str(value) if value is _MISSING else FORMATS[format_spec](value)


_MISSING = _Missing()
_FORMATTER = _Formatter()
