"""Mail the owner of a webhook that was stopped automatically."""

from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.template.loader import render_to_string
from django.utils.translation import gettext as _

from archive.accounts import account_mail
from archive.display.mail import clean_line, site_context, site_url
from archive.models import WebhookEndpoint

AT_ONCE = 100


def notify_owners() -> int:
    """Enqueue the missing mails, each in the transaction that records it. Returns how many."""
    waiting = WebhookEndpoint.objects.filter(owner_notified=False).order_by("pk").values_list("pk", flat=True)
    return sum(_notify_owner(pk) for pk in waiting[:AT_ONCE])


def _notify_owner(pk: UUID) -> bool:
    with transaction.atomic():
        rows = WebhookEndpoint.objects.select_for_update(of=("self",)).select_related("owner")
        endpoint = rows.filter(pk=pk, owner_notified=False).first()
        if endpoint is None:
            return False
        WebhookEndpoint.objects.filter(pk=pk).update(owner_notified=True)
        owner = endpoint.owner
        if not (settings.MAIL_ON and owner.is_active and owner.email.strip()):
            return False
        context = {
            **site_context(),
            "name": clean_line(endpoint.name),
            "reason": WebhookEndpoint.Stop(endpoint.stop_reason).label if endpoint.stop_reason else "",
            "page_url": site_url("webhook", endpoint.pk),
        }
        text = render_to_string("archive/mail/webhook-stopped.txt", context).strip() + "\n"
        account_mail.enqueue(owner.email.strip(), _("A webhook was switched off"), text)
    return True
