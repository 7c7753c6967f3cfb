from django.apps import AppConfig
from django.contrib.admin import apps as admin
from django.utils.translation import gettext_lazy as _

from portal import remembered_texts

remembered_texts.install()  # applications are loaded before any text is translated


class PortalConfig(AppConfig):
    name = "portal"
    verbose_name = _("Portal")

    def ready(self) -> None:
        from portal import checks  # noqa: F401, PLC0415  (registers a system check; needs the settings)
        from portal.sign_in import events, second_factor  # noqa: F401, PLC0415  (receive allauth's signals)


class AdminConfig(admin.AdminConfig):
    """Django's admin, with our own site class."""

    default_site = "portal.admin_site.SpacekeepAdminSite"
