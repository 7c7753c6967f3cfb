import uuid

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from archive.models.leased import Leased
from archive.models.recorder import RecorderToken
from archive.models.space import Space


class LiveKitRoom(models.Model):
    """One session of a LiveKit room, merged from events that may be out of order, duplicated or lost
    (archive/intake/arrivals/livekit_events.py). Deleted days after its last event: the Space has its facts."""

    recorder = models.ForeignKey(RecorderToken, on_delete=models.CASCADE, related_name="+")
    sid = models.CharField(max_length=100, unique=True, help_text="LiveKit's id of the session: RM_...")
    name = models.CharField(max_length=300, blank=True)
    description = models.JSONField(
        default=dict, blank=True, help_text="Facts of the Space from the room's metadata: title, host, audience, ..."
    )
    described_at = models.PositiveBigIntegerField(
        default=0, help_text="When LiveKit sent `description`: seconds since 1970."
    )
    last_event_at = models.DateTimeField(db_default=Now(), help_text="When we received its last event.")

    def __str__(self) -> str:
        return self.sid


class LiveKitParticipant(models.Model):
    """One connection to a LiveKit room. Of listeners we store only the times, to count them: no identity, no name."""

    class Role(models.TextChoices):
        HOST = "host", _("host")
        COHOST = "cohost", _("co-host")
        SPEAKER = "speaker", _("speaker")
        LISTENER = "listener", _("listener")

    room = models.ForeignKey(LiveKitRoom, on_delete=models.CASCADE, related_name="participants")
    sid = models.CharField(max_length=100, help_text="LiveKit's id of the connection: PA_...")
    role = models.CharField(max_length=8, choices=Role, default=Role.LISTENER, help_text="The highest one seen.")
    identity = models.CharField(max_length=255, blank=True)
    name = models.CharField(max_length=100, blank=True)
    account = models.CharField(max_length=150, blank=True, help_text="User name here, as the application gave it.")
    named_at = models.PositiveBigIntegerField(default=0, help_text="When LiveKit sent the names: seconds since 1970.")
    joined_at = models.DateTimeField(null=True)
    left_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(name="livekit_participant_once", fields=["room", "sid"]),
            models.CheckConstraint(
                name="livekit_listener_has_no_name",
                condition=~Q(role="listener") | Q(identity="", name="", account=""),
            ),
        ]

    def __str__(self) -> str:
        return self.sid


class Arrival(Leased):
    """A recording that a recorder left somewhere, for workers to fetch (archive/intake/arrivals/).

    `waiting`: not complete yet. `pending`: complete, to be fetched. `copying`: its Space is registered, and its bytes
    are being copied. `examining`: copied; the Space is examined like any upload. `accepted`: the Space is available.
    `refused`: see `problem`. In the last two states, `settled` means that nothing is left to do at the source.
    """

    class Source(models.TextChoices):
        LIVEKIT = "livekit", _("LiveKit")
        INBOX = "inbox", _("inbox in the store")
        FOLDER = "folder", _("inbox folder")

    class State(models.TextChoices):
        WAITING = "waiting", _("not complete yet")
        PENDING = "pending", _("to be fetched")
        COPYING = "copying", _("being copied")
        EXAMINING = "examining", _("being checked")
        ACCEPTED = "accepted", _("accepted")
        REFUSED = "refused", _("refused")

    AT_WORK = (State.PENDING, State.COPYING, State.EXAMINING)
    OVER = (State.ACCEPTED, State.REFUSED)

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    recorder = models.ForeignKey(RecorderToken, on_delete=models.CASCADE, related_name="arrivals")
    source = models.CharField(max_length=16, choices=Source)
    source_id = models.CharField(
        max_length=1024, help_text="LiveKit's egress id; of an inbox, the key, or token prefix and path."
    )
    version = models.CharField(
        max_length=100, blank=True, help_text="Identity of the sidecar's bytes; a rewritten sidecar is a new arrival."
    )
    room = models.ForeignKey(LiveKitRoom, null=True, on_delete=models.SET_NULL, related_name="arrivals")
    space = models.ForeignKey(Space, null=True, on_delete=models.SET_NULL, related_name="arrivals")
    state = models.CharField(max_length=16, choices=State, default=State.WAITING)
    path = models.CharField(max_length=1024, blank=True, help_text="Key or path of the recording.")
    size = models.PositiveBigIntegerField(null=True, help_text="Bytes, as last seen at the source.")
    etag = models.CharField(max_length=100, blank=True, help_text="Identity of the bytes, as last seen at the source.")
    sha256 = models.CharField(
        max_length=64, blank=True, help_text="The size of the recording, if its sidecar announces it."
    )
    ended_at = models.DateTimeField(null=True, help_text="When LiveKit ended the recording, or the end of its sidecar.")
    settled = models.BooleanField(default=False, help_text="The outcome is stored, and nothing is left to remove.")
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(name="arrival_once", fields=["source", "source_id", "version"]),
            models.UniqueConstraint(
                name="arrival_one_live",
                fields=["source", "source_id"],
                condition=~Q(state__in=["accepted", "refused"]),
            ),
            models.CheckConstraint(name="arrival_source_known", condition=Q(source__in=["livekit", "inbox", "folder"])),
            models.CheckConstraint(
                name="arrival_state_known",
                condition=Q(state__in=["waiting", "pending", "copying", "examining", "accepted", "refused"]),
            ),
            models.CheckConstraint(name="arrival_refused_has_a_reason", condition=~Q(state="refused") | ~Q(problem={})),
        ]
        indexes = [
            models.Index(
                name="arrival_at_work",
                fields=["lease_until"],
                condition=Q(state__in=["pending", "copying", "examining"]),
            ),
            models.Index(
                name="arrival_unsettled",
                fields=["lease_until"],
                condition=Q(state__in=["accepted", "refused"], settled=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.source} {self.source_id} ({self.state})"

    @property
    def log_space_id(self) -> uuid.UUID | None:
        return self.space_id

    @property
    def log_subject(self) -> dict[str, str]:
        return {"arrival": str(self.pk)}
