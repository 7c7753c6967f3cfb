"""Encrypt with the SECRET_KEY of today what was encrypted with a former one, so that nothing needs that any more.

Each row is locked and written separately, so the command can be killed and repeated, and pages keep working.
"""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from allauth.mfa.models import Authenticator
from cryptography.fernet import InvalidToken
from django.core.management.base import CommandError
from django.db import models, transaction

from archive.management.base import Command as Base
from archive.models import WebhookEndpoint
from archive.webhooks import signing
from portal.sign_in import mfa_adapter

CHANGED, UNREADABLE = "changed", "unreadable"
TYPES = [Authenticator.Type.TOTP, Authenticator.Type.RECOVERY_CODES]  # a passkey is a public key
UNREADABLE_FACTORS = (
    "Second factors that can't be read: {count}. Add the SECRET_KEY of their time to SECRET_KEY_FALLBACKS, or delete "
    "them with: manage.py reset_second_factors NAME."
)
UNREADABLE_WEBHOOKS = (
    "Webhooks whose secret can't be read: {count}. Add the SECRET_KEY of their time to SECRET_KEY_FALLBACKS, or "
    "replace the secret under Webhooks."
)


class Command(Base):
    help = (
        "Encrypt second factors and secrets of webhooks with the present SECRET_KEY. "
        "Run it where web runs, after SECRET_KEY was replaced and web and workers were restarted; then nothing in the "
        "database needs SECRET_KEY_FALLBACKS. It changes no second factor and no secret, and can be repeated."
    )

    def run(self, **options: Any) -> None:
        factors = _encrypt(Authenticator.objects.filter(type__in=TYPES), _second_factor)
        webhooks = _encrypt(WebhookEndpoint.objects.all(), _webhook)
        self.print_result(
            f"Encrypted again. Second factors: {factors[CHANGED]}; webhooks: {webhooks[CHANGED]}.",
            {"second_factors": factors[CHANGED], "webhooks": webhooks[CHANGED]},
            as_json=options["json"],
        )
        problems = [
            text.format(count=counts[UNREADABLE])
            for text, counts in ((UNREADABLE_FACTORS, factors), (UNREADABLE_WEBHOOKS, webhooks))
            if counts[UNREADABLE]
        ]
        if problems:
            raise CommandError(" ".join(problems))


def _encrypt(rows: models.QuerySet[Any], changes_of: Any) -> Counter[str]:
    """Return how many rows were changed, and how many could not be read."""
    counts: Counter[str] = Counter()
    for row in _locked(rows):
        try:
            changes = changes_of(row)
        except InvalidToken:
            counts[UNREADABLE] += 1
            continue
        if changes:
            type(row)._default_manager.filter(pk=row.pk).update(**changes)
            counts[CHANGED] += 1
    return counts


def _locked(rows: models.QuerySet[Any]) -> Iterator[Any]:
    """Yield these rows one by one, each locked while the caller handles it."""
    for pk in list(rows.order_by("pk").values_list("pk", flat=True)):
        with transaction.atomic():
            row = rows.select_for_update().filter(pk=pk).first()
            if row is not None:
                yield row


def _second_factor(row: Authenticator) -> dict[str, Any]:
    data = mfa_adapter.reencrypt_stored(row.data)
    return {} if data == row.data else {"data": data}


def _webhook(row: WebhookEndpoint) -> dict[str, Any]:
    stored = {"secret": row.secret, "former_secret": row.former_secret}
    changes = {name: signing.reencrypt_stored(value) for name, value in stored.items()}
    return {} if changes == stored else changes
