"""Delete personal data from LiveKit in time, even if LiveKit is no longer configured."""

from datetime import timedelta

from django.conf import settings
from django.db.models import Exists, OuterRef
from django.db.models.functions import Now

from archive.models import Arrival, LiveKitRoom

ROOMS_KEPT = timedelta(days=3)  # after the last event; LiveKit itself drops an egress after a day
State = Arrival.State


def delete_old_rows() -> None:
    """Delete rooms without events for days, with their participants, unless a recording is still to be fetched; and
    refused arrivals of LiveKit, whose path may name a room, at the age at which a Space would be deleted."""
    needed = Arrival.objects.filter(room=OuterRef("pk"), state__in=[State.WAITING, State.PENDING, State.COPYING])
    LiveKitRoom.objects.filter(last_event_at__lt=Now() - ROOMS_KEPT).exclude(Exists(needed)).delete()
    Arrival.objects.filter(
        source=Arrival.Source.LIVEKIT,
        state=State.REFUSED,
        settled=True,
        created_at__lt=Now() - timedelta(days=settings.RETENTION_DAYS),
    ).delete()
