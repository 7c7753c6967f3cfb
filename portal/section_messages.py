"""Messages about one section of a long page.

A page shows such a message in its section and not at the top, because after the form or the redirect the top of the
page is out of sight. The section has the id `section`, and its template has `{% messages_of section %}`. If the page
lacks this section, the message appears at the lower edge of the window.
"""

from django.contrib import messages
from django.contrib.messages.storage.base import Message
from django.http import HttpRequest

PREFIX = "section-"


def add_success(request: HttpRequest, section: str, text: str) -> None:
    messages.success(request, text, extra_tags=_tag(section))


def add_error(request: HttpRequest, section: str, text: str) -> None:
    messages.error(request, text, extra_tags=_tag(section))


def _tag(section: str) -> str:
    return f"{PREFIX}{section}" if section else ""


def section_of(message: Message) -> str:
    """ "" for those at the top of the page."""
    tags = message.extra_tags or ""
    return tags.removeprefix(PREFIX) if tags.startswith(PREFIX) else ""
