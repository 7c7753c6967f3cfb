"""Accounts and their data, for browser tests of pages. Their Spaces are in page_spaces.py."""

from datetime import timedelta
from functools import cached_property
from typing import Any
from uuid import UUID

from allauth.account.forms import default_token_generator
from allauth.account.models import EmailAddress, EmailConfirmationHMAC
from allauth.account.utils import user_pk_to_url_str
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from allauth.usersessions.models import UserSession
from django.db import transaction

from archive import dbtime, feeds, notices, recorders
from archive.accounts import invitations
from archive.audit import saved_views
from archive.bundles import exports
from archive.bundles.links import revoke_bundle_links
from archive.errors import make_problem
from archive.log import Actor
from archive.models import (
    CheckpointCopy,
    CheckpointMail,
    CheckpointTimestamp,
    Export,
    ExportPart,
    Hold,
    LogCheckpoint,
    LogCosignature,
    Notice,
    RecorderToken,
    User,
    WebhookDelivery,
    WebhookEndpoint,
)
from archive.moderation.reason_templates import add_template
from archive.notices.unsubscribe import DIGEST, one_click_url
from archive.transparency import sequence, verification
from archive.webhooks import endpoints
from portal.downloads import download_path
from tests.support.factory import make_user
from tests.support.http_clients import session_cookie
from tests.support.mail_server import give_address
from tests.support.page_spaces import UNREADABLE, PageSpaces
from tests.support.passkeys import make_passkey
from tests.support.webhook_receiver import announce_to_all, subscribe


class PageWorld(PageSpaces):
    """`nora` hosts no Space, `vera` has second factors, `otto` is an auditor, `root` a superuser."""

    def __init__(self) -> None:
        super().__init__()
        self.nora, self.otto = make_user("nora"), make_user("otto", "auditors")
        self.root = User.objects.create(username="root", is_superuser=True, is_staff=True)
        give_address(self.alice)
        self.address = EmailAddress.objects.create(user=self.alice, email=self.alice.email, verified=True, primary=True)

    def fill(self) -> None:
        """Create everything, so that lists are full."""
        self.make_spaces()
        feeds.create_calendar(self.alice)
        self._make_notices()
        self._make_tokens()
        self._make_webhooks()
        self._make_invitations()
        self._make_devices()
        for name in ("export", "template", "vera"):
            getattr(self, name)
        self._prove_log()

    def _prove_log(self) -> None:
        """Create a checkpoint that others hold, a verification, and views of the log that the auditor saved."""
        assert sequence.run()
        self._give_checkpoint_away()
        assert verification.run(verification.request(self.otto).pk)
        for name in ("Played by admins", "Flags of the last quarter that were lifted after an appeal"):
            saved_views.save(self.otto, name, "?event=played&role=admins")

    def _give_checkpoint_away(self) -> None:
        """Give the checkpoint to one holder of each kind."""
        now, of_newest = dbtime.now(), {"checkpoint": LogCheckpoint.objects.latest("pk")}
        CheckpointMail.objects.create(recipient="0" * 64, day=now.date(), state="sent", sent_at=now, **of_newest)
        place = "https://locked.example.net/spacekeep-checkpoints"
        until = now + timedelta(days=400)
        CheckpointCopy.objects.create(place=place, key="log/checkpoints/000", locked_until=until, **of_newest)
        LogCosignature.objects.create(witness="witness.example.net/w1", line="", **of_newest)
        authority = "CN=Time stamps,O=A Notary with a Name of Some Length,C=NL"
        CheckpointTimestamp.objects.create(authority=authority, stamped_at=now, response=b"", **of_newest)

    def _make_notices(self) -> None:
        with transaction.atomic():
            ready, failed = self.open.bundles.get(), self.bundle_failed.bundles.get()
            notices.tell(Notice.Kind.BUNDLE_READY, self.alice, self.open, ready.pk)
            notices.tell(Notice.Kind.HOLD_RELEASED, self.alice, self.open, "1")
            notices.tell(Notice.Kind.BUNDLE_FAILED, self.alice, self.bundle_failed, failed.pk)
        Hold.objects.filter(space=self.held, case_number="12/2026").update(review_on=dbtime.now().date())
        assert notices.create_hold_reviews()

    def _make_tokens(self) -> None:
        studio, old, _ = (
            recorders.create_token(name, 30, self.ada, [self.alice], ["intake", "bundles"])[0]
            for name in ("Studio 7", "Van", "The recorder in the meeting room on the second floor")
        )
        recorders.revoke(old.pk, self.ada)
        recorders.create_token("LiveKit", 90, self.ada, for_anybody=True)
        RecorderToken.objects.filter(pk=studio.pk).update(last_used_at=dbtime.now())

    def _make_webhooks(self) -> None:
        """Create three webhooks: one that works, one that fails, one that was switched off."""
        works, failing, stopped = (
            subscribe(f"https://hooks.example.org/{number}", self.ada, name=name)[0].pk
            for number, name in enumerate(
                ("Desk of the moderators", "Old case file", "A receiver with quite a long name")
            )
        )
        self.webhook_works, self.webhook_failing, self.webhook_stopped = works, failing, stopped
        WebhookEndpoint.objects.filter(pk=failing).update(failing_since=dbtime.now())
        for number in range(3):
            announce_to_all(self.open, number)
        now: dict[str, Any] = {"attempts": 1, "attempted_at": dbtime.now(), "duration_ms": 84}
        rows = WebhookDelivery.objects.filter(space=self.open)
        rows.filter(subject_id="0").update(state="delivered", status=204, **now)
        failed = make_problem("webhook.not_accepted", status=500)
        rows.filter(subject_id="1").update(state="failed", status=500, problem=failed, **{**now, "attempts": 13})
        unreachable = make_problem("webhook.timed_out", seconds=15)
        rows.filter(subject_id="2").update(problem=unreachable, retry_at=dbtime.now() + timedelta(hours=1), **now)
        endpoints.stop_for(stopped, endpoints.Stop.FAILING)

    def _make_invitations(self) -> None:
        for name, role in (("eve", "host"), ("ines.from.the.harbour.gardens", "auditor")):
            invitations.invite(f"{name}@example.org", role, 7, self.ada)
        invitations.invite("lena@example.org", "admin", 7, self.ada, name="Lena Brandt")
        revoked, _ = invitations.invite("max@example.org", "host", 7, self.ada)
        invitations.revoke(revoked.pk, self.ada)

    def _make_devices(self) -> None:
        """Sign the host in at two more devices."""
        for system, ip in (("Windows NT 10.0", "203.0.113.7"), ("iPhone", "2001:db8:85a3::8a2e:370:7334")):
            key = session_cookie(self.alice).partition("=")[2]
            agent = f"Mozilla/5.0 ({system}) Firefox/145.0"
            UserSession.objects.create(user=self.alice, session_key=key, ip=ip, user_agent=agent)

    @cached_property
    def invitation(self) -> str:
        """The token of a valid link."""
        return invitations.invite("ida@example.org", "host", 7, self.ada)[1]

    provider = "oidc"
    rule_code = "spam"

    @cached_property
    def template(self) -> int:
        return int(add_template("spam", "Paid scheme", "It advertises a paid scheme.", self.ada).pk)

    @cached_property
    def export(self) -> Export:
        """An export of all Spaces, with ready, building, failed and revoked parts."""
        export = exports.request(self.alice, 2 * 10**9)
        for number, state in enumerate(("building", "failed", "removed"), 2):
            problem = UNREADABLE if state == "failed" else {}
            ExportPart.objects.create(export=export, number=number, state=state, problem=problem)
        for part in export.parts.all():
            part.places.get_or_create(space=self.open)
        ready = {"state": "ready", "size": 1_400_000_000, "ready_at": dbtime.now(), "key": "p", "etag": "e"}
        ExportPart.objects.filter(export=export, number=1).update(**ready, name="Spacekeep, part 1.zip")
        return export

    @cached_property
    def chosen_export(self) -> UUID:
        return exports.request(self.alice, 2 * 10**9, [self.open.pk, self.flagged.pk]).pk

    @cached_property
    def vera(self) -> User:
        vera = make_user("vera")
        TOTP.activate(vera, generate_totp_secret())
        RecoveryCodes.activate(vera)
        make_passkey(vera, "Phone")
        return vera

    @cached_property
    def passkey(self) -> int:
        return int(Authenticator.objects.get(user=self.vera, type=Authenticator.Type.WEBAUTHN).pk)

    @cached_property
    def email_key(self) -> str:
        """The key in the mail that asks the user to confirm an address."""
        added = EmailAddress.objects.create(user=self.nora, email="nora@example.org", verified=False, primary=False)
        return str(EmailConfirmationHMAC.create(added).key)

    @cached_property
    def reset_link(self) -> tuple[str, str]:
        """The parts of the link in a mail for a new password."""
        return user_pk_to_url_str(self.bob), default_token_generator.make_token(self.bob)

    @cached_property
    def unsubscribe_token(self) -> str:
        return one_click_url(self.alice, DIGEST).rstrip("/").rpartition("/")[2]

    @cached_property
    def ended_download(self) -> tuple[str, str]:
        """The parts of an ended download link."""
        path = download_path(self.open.bundles.get(), self.alice)
        assert revoke_bundle_links(self.open, Actor.of(self.alice))
        token, name = path.split("/")[2:]
        return token, name.removesuffix(".zip")
