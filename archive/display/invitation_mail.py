"""Render an invitation as e-mail."""

from django.conf import settings
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import gettext as _

from archive import formatting
from archive.display.mail import Fact, MailMessage
from archive.models import Invitation


def render_invitation(invitation: Invitation, token: str) -> MailMessage:
    """Render the mail with the link of `token`."""
    subject = _("You are invited to Spacekeep")
    context = {
        "site": settings.SITE_URL,
        "link": invitation_url(token),
        "role": invitation.role,
        "subject": subject,
        "facts": [Fact(_("Valid until"), formatting.format_time(invitation.expires_at))],
    }
    return MailMessage(
        subject,
        render_to_string("archive/mail/invitation.txt", context).strip() + "\n",
        render_to_string("archive/mail/invitation.html", context),
    )


def invitation_url(token: str) -> str:
    return settings.SITE_URL + reverse("invitation", args=[token])
