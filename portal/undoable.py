"""Messages about actions that can be undone: templates/messages.html shows an undo button."""

from django.contrib import messages
from django.contrib.messages.storage.base import Message
from django.http import HttpRequest

PREFIX = "undo-"


def add_undoable(request: HttpRequest, text: str, undo_url: str) -> None:
    """`undo_url`: the address to which the button posts."""
    messages.success(request, text, extra_tags=f"{PREFIX}{undo_url}")


def undo_url_of(message: Message) -> str:
    """ "" for a message about what can't be undone."""
    tags = message.extra_tags or ""
    return tags.removeprefix(PREFIX) if tags.startswith(PREFIX) else ""
