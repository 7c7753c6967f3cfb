"""Authenticate LiveKit's webhooks.

LiveKit signs each with a JWT (HS256 with the API secret) in the Authorization header, which expires after minutes and
has the SHA-256 of the body in its claim `sha256` (docs.livekit.io, "Webhooks & events"). A participant's token is
signed with the same secret but has no such claim, so it is not accepted here. Replaying a request within its minutes is
harmless: events are merged into rows (livekit_events.py).
"""

import base64
import hashlib
import hmac

from django.conf import settings
from google.protobuf.json_format import Parse, ParseError
from jwt import InvalidTokenError
from livekit.api import TokenVerifier
from livekit.protocol.webhook import WebhookEvent

from archive import recorders
from archive.errors import Refused
from archive.intake.arrivals import livekit_events
from archive.models import RecorderToken


class NotAuthentic(Refused):
    """LiveKit did not sign this request, or not recently."""


class RecorderNotWorking(Refused):
    """The token in LIVEKIT_RECORDER was revoked, has expired, or may not upload."""


def receive(body: bytes, authorization: str) -> None:
    """Authenticate one event and apply it. Raises NotAuthentic, RecorderNotWorking, or Refused for a body that is not
    an event; then nothing is stored."""
    _authenticate(body, authorization)
    try:
        event = Parse(body.decode(), WebhookEvent(), ignore_unknown_fields=True)
    except (ParseError, UnicodeDecodeError, RecursionError) as error:
        raise Refused("livekit.not_an_event") from error
    livekit_events.apply(event, find_recorder())


def find_recorder() -> RecorderToken:
    """Return the token whose hosts and quotas apply. Raises RecorderNotWorking."""
    recorder = recorders.find_working(settings.LIVEKIT_RECORDER)
    if recorder is None:
        raise RecorderNotWorking("livekit.recorder_not_working", token=settings.LIVEKIT_RECORDER)
    return recorder


def _authenticate(body: bytes, authorization: str) -> None:
    verifier = TokenVerifier(settings.LIVEKIT_API_KEY, settings.LIVEKIT_API_SECRET)
    try:
        claimed = base64.b64decode(verifier.verify(authorization.removeprefix("Bearer ").strip()).sha256 or "")
    except (InvalidTokenError, ValueError, TypeError, AttributeError) as error:  # also for claims of wrong types
        raise NotAuthentic("livekit.not_authentic") from error
    if not hmac.compare_digest(claimed, hashlib.sha256(body).digest()):
        raise NotAuthentic("livekit.not_authentic")
