"""Mail by SMTP, to a server whose certificate may be from an authority of an organization's own."""

import ssl
from functools import cached_property

from django.conf import settings
from django.core.mail.backends.smtp import EmailBackend


class MailServerBackend(EmailBackend):
    """Trusts the authorities of the system, and those of MAIL_CA_BUNDLE."""

    @cached_property
    def ssl_context(self) -> ssl.SSLContext:
        context = ssl.create_default_context()
        if settings.MAIL_CA_BUNDLE:
            context.load_verify_locations(settings.MAIL_CA_BUNDLE)
        return context
