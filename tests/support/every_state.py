"""Spaces, uploads, exports, notices and tokens in every state that pages show.

All text that people would write is enclosed in ⟦ ⟧, as tests/support/pseudo_locale.py does with translations.
"""

from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import F, TextField, Value
from django.db.models.functions import Concat

from archive import dbtime, log, notices, recorders
from archive.bundles import exports
from archive.bundles.contents import content_id
from archive.errors import make_problem
from archive.log import SYSTEM, Actor, events
from archive.models import (
    Bundle,
    ExportPart,
    Hold,
    Notice,
    RecorderToken,
    Rule,
    Space,
    Transcription,
    UploadSession,
    User,
    WebhookDelivery,
    WebhookEndpoint,
)
from archive.moderation.appeals import appeal, decide
from archive.moderation.evidence import Lines
from archive.moderation.holds import place
from archive.moderation.violations import flag, lift
from archive.notices.outbox import make_notice
from archive.retention.purge import purge
from archive.webhooks import endpoints
from tests.support.deadlines import make_due
from tests.support.factory import make_contents, make_row, make_user
from tests.support.transcripts import make_transcript
from tests.support.webhook_receiver import announce_to_all, subscribe

BROKEN = make_problem("transcript.no_lines", file="⟦talk⟧.vtt")


def mark_rules() -> None:
    """Enclose names and texts of rules in ⟦ ⟧. They are data of the installation, so no catalog translates them."""
    Rule.objects.update(
        name=Concat(Value("⟦"), F("name"), Value("⟧")),
        text=Concat(Value("⟦"), F("text"), Value("⟧"), output_field=TextField()),
    )


class EveryState:
    """`host` has a Space in each state. `admin` acts, and `second_admin` where a second person must."""

    def __init__(self, host: User, admin: User) -> None:
        self.host, self.admin, self.second_admin = host, admin, make_user("sven", role="admins")
        mark_rules()
        self._moderated()
        self._arriving()
        self._packaged()
        self.expiring = self._row(state="expiring", ended_ago=timedelta(days=31))
        self.deleted = self._row(ended_ago=timedelta(days=29))
        make_contents(self.deleted)
        make_due(self.deleted)
        assert purge(self.deleted.pk)
        self._notices()
        self._tokens()

    def _row(self, **fields: Any) -> Space:
        return make_row(self.host, **{"title": "⟦Beans⟧", **fields})

    def _full(self, **fields: Any) -> Space:
        """Create a Space with content whose text is enclosed in ⟦ ⟧."""
        space = self._row(**fields)
        stored = {"size": 9, "etag": "e", "sha256": "0" * 64}
        sound = {"extension": "m4a", "content_type": "audio/mp4", "codec": "aac", "sample_rate": 48000, "channels": 1}
        space.recordings.create(key=f"{space.pk}.m4a", crc32=1, duration_ms=9000, **sound, **stored)
        make_transcript(space, [("⟦Ida⟧", "⟦Okapi quagga.⟧")] * 2)
        package = {"state": "ready", "name": "p.zip", "key": "p", "ready_at": dbtime.now(), "verified_by": "read-back"}
        space.bundles.create(content_digest=content_id(space), **package, **stored)
        return space

    def _moderated(self) -> None:
        admin, host = self.admin, self.host
        facts = {"audience": "followed", "listeners_peak": 3, "listeners_total": 1200}
        self.flagged = self._full(**facts, ended_ago=timedelta(days=25))
        person = self.flagged.participants.create(role="speaker", seat=1, name="⟦Ida⟧")
        self.flagged.participants.create(role="cohost", seat=1, name="⟦Ada⟧", user=host)
        self.participant = person
        self.flag = flag(self.flagged.pk, "spam", "⟦It sold watches.⟧", admin, Lines(1, (1,)))
        self.appealed = self._full(title="")
        self.appeal = appeal(flag(self.appealed.pk, "spam", "⟦Watches.⟧", admin, Lines(1, (1,))).pk, "⟦Beans.⟧", host)
        self.denied, self.granted, self.lifted = self._row(), self._row(), self._row()
        for space, granted in ((self.denied, False), (self.granted, True)):
            open_appeal = appeal(flag(space.pk, "spam", "⟦Watches.⟧", admin).pk, "⟦Beans.⟧", host)
            decide(open_appeal.pk, "⟦They were.⟧", self.second_admin, granted=granted)
        flag(self.lifted.pk, "spam", "⟦Watches.⟧", admin)
        lift(self.lifted.pk, "⟦A play.⟧", admin)
        self.held = self._full()
        self.hold = place(self.held.pk, "⟦A court asked.⟧", admin)
        flag(self.held.pk, "spam", "⟦Watches.⟧", admin)

    def _arriving(self) -> None:
        self.empty = self._row(state="receiving")
        self.receiving = self._row(state="receiving")
        self.open_upload = self._upload(self.receiving)
        self.processing = [
            self._row(state="processing", problem=make_problem("storage.unreachable", what="⟦It⟧", error="⟦x⟧")),
            self._row(state="processing", processing_step="checking", processing_step_total=10, transcribe=True),
            self._row(state="processing", processing_step="measuring"),
            self._row(state="processing", processing_step="rejecting", problem=make_problem("audio.empty")),
        ]
        self._upload(self.processing[1], state="uploaded", etag="e")
        self.rejected = self._row(state="rejected", problem=make_problem("audio.empty"))
        self.reading, self.broken = self._full(), self._full()
        self._upload(self.reading, kind="transcript", state="uploaded", etag="e", name="⟦talk⟧.vtt")
        self._upload(self.broken, kind="transcript", state="rejected", problem=BROKEN, name="⟦talk⟧.vtt")
        self.transcribed = []
        for state, problem in (("requested", {}), ("running", BROKEN), ("failed", BROKEN)):
            space = self._full()
            space.transcripts.all().delete()
            Transcription.objects.create(space=space, state=state, total_ms=9000, problem=problem)
            self.transcribed.append(space)
        self.automatic, self.wordless = self._full(), self._full()
        self.automatic.transcripts.update(source="automatic")
        self.wordless.transcripts.all().delete()

    def _upload(self, space: Space, **fields: Any) -> UploadSession:
        given: dict[str, Any] = {
            "kind": "recording",
            "name": "⟦talk⟧.wav",
            "size": 40_000_000,
            "part_size": 5 * 1024**2,
        }
        return UploadSession.objects.create(space=space, created_by=self.host, upload_id="u", key="k", **given | fields)

    def _packaged(self) -> None:
        self.building = []
        unready: dict[str, Any] = {"size": None, "ready_at": None, "key": "", "etag": ""}
        unready |= {"sha256": "", "crc32": None, "verified_by": ""}
        for state, more in (("requested", {}), ("building", {"bytes_total": 9}), ("failed", {"problem": BROKEN})):
            space = self._full(ended_ago=timedelta(days=23, hours=1))
            space.bundles.update(state=state, **unready, **more)
            self.building.append(space)
        export = exports.request(self.host, 2 * 10**9)
        (part,) = export.parts.all()
        for number, state in enumerate(("building", "failed", "removed"), 2):
            problem = BROKEN if state == "failed" else {}
            ExportPart.objects.create(export=export, number=number, state=state, problem=problem)
        for other in export.parts.all():
            other.places.get_or_create(space=self.flagged)
            other.places.get_or_create(space=self.appealed, defaults={"excluded": True})
        ready = {"state": "ready", "size": 9, "ready_at": dbtime.now(), "key": "p", "etag": "e", "name": "p.zip"}
        ExportPart.objects.filter(pk=part.pk).update(**ready)
        self.export = export

    def _notices(self) -> None:
        kinds, now = Notice.Kind, dbtime.now()
        bundle = Bundle.objects.get(space=self.flagged)
        flags = {kinds.FLAGGED: self.flagged, kinds.LIFTED: self.lifted, kinds.APPEAL_DENIED: self.denied}
        with transaction.atomic():
            notices.tell(kinds.BUNDLE_READY, self.host, self.flagged, bundle.pk)
            notices.tell(kinds.HOLD_RELEASED, self.host, self.flagged, self.hold.pk)
            notices.tell(kinds.BUNDLE_FAILED, self.host, self.building[2], self.building[2].bundles.get().pk)
            for kind, space in flags.items():
                notices.tell(kind, self.host, space, space.violations.get().pk)
        for kind, left in ((kinds.DUE_7_DAYS, timedelta(days=5)), (kinds.DUE_1_DAY, timedelta(hours=5))):
            space = self._row(ended_at=now + left - timedelta(days=30))
            make_notice(kind, self.host, space, log.rfc3339(space.expires_at), space.expires_at).save()
        Hold.objects.update(review_on=now.date())
        assert notices.create_hold_reviews()

    def _webhooks(self) -> None:
        """Create deliveries in each state, and endpoints that work, fail, or were stopped for each reason."""
        reasons = endpoints.Stop.values
        rows = [subscribe("https://hooks.example.org/", self.admin, name="⟦Desk⟧")[0] for _ in range(3 + len(reasons))]
        self.webhooks = [row.pk for row in rows]
        endpoints.replace_secret(self.webhooks[0], self.admin)
        WebhookEndpoint.objects.filter(pk=self.webhooks[1]).update(failing_since=dbtime.now())
        WebhookEndpoint.objects.filter(pk=self.webhooks[2]).update(owner=self.host)  # who is not an admin
        for number in range(3):
            announce_to_all(self.flagged, number)
        failed = {"problem": make_problem("webhook.not_accepted", status=500), "attempted_at": dbtime.now()}
        deliveries = WebhookDelivery.objects.filter(space=self.flagged)
        deliveries.filter(subject_id="0").update(
            state="delivered", attempts=1, attempted_at=dbtime.now(), duration_ms=8
        )
        deliveries.filter(subject_id="1").update(state="failed", attempts=13, **failed)
        deliveries.filter(subject_id="2").update(attempts=2, retry_at=dbtime.now(), **failed)
        for pk, reason in zip(self.webhooks[3:], reasons, strict=True):
            endpoints.stop_for(pk, endpoints.Stop(reason))

    def _tokens(self) -> None:
        scopes = (["intake", "bundles"], ["bundles"], ["intake"], ["intake"])
        both, used, revoked, expired = (
            recorders.create_token("⟦Rig⟧", 30, self.admin, [self.host], each)[0] for each in scopes
        )
        recorders.revoke(revoked.pk, self.admin)
        RecorderToken.objects.filter(pk=expired.pk).update(expires_at=dbtime.now())
        RecorderToken.objects.filter(pk=used.pk).update(last_used_at=dbtime.now())
        self.token = both
        self._webhooks()
        with transaction.atomic():
            log.record(
                events.UPLOAD_OPENED, space_id=self.flagged.pk, actor=Actor("recorder"), kind="recording", size=9
            )
            log.record(events.NOTICE_SENT, space_id=self.flagged.pk, actor=SYSTEM, kind="flagged", user=10**9)
            log.record(events.UPLOAD_COMPLETED, space_id=self.flagged.pk, actor=Actor("user", 10**9), size=1)

    def moderated(self) -> list[Space]:
        return [self.flagged, self.appealed, self.denied, self.granted, self.held, self.receiving, self.wordless]

    def arriving(self) -> list[Space]:
        """Spaces whose pages have parts that htmx refreshes."""
        return [*self.processing, *self.transcribed, *self.building, self.automatic]

    def spaces(self) -> list[Space]:
        """Every Space that has its own kind of page."""
        others = [self.lifted, self.empty, self.rejected, self.reading, self.broken]
        return [*self.moderated(), *self.arriving(), *others]
