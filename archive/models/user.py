from django.contrib.auth.models import AbstractUser
from django.db import models
from django.utils.functional import cached_property

ADMINS = "admins"
AUDITORS = "auditors"


class User(AbstractUser):
    """Anybody who signs in. Roles are the groups `admins` and `auditors`; a host is any user who owns a Space."""

    time_zone = models.CharField(
        max_length=64, blank=True, help_text="IANA name, as the browser used last says it; empty: not known."
    )

    @cached_property
    def roles(self) -> frozenset[str]:
        return frozenset(self.groups.values_list("name", flat=True)) & {ADMINS, AUDITORS}

    @property
    def is_admin(self) -> bool:
        return ADMINS in self.roles

    @property
    def is_auditor(self) -> bool:
        return AUDITORS in self.roles

    @property
    def display_name(self) -> str:
        return self.get_full_name() or self.username
