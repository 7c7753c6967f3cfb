from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.contrib.auth.models import AbstractUser, Group
from django.contrib.auth.validators import UnicodeUsernameValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now, Upper
from django.utils.crypto import salted_hmac
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from archive.models.compiled_query import CompiledQuery
from archive.models.log import LogEntry
from archive.names import validate_display_name, validate_username

ADMINS = "admins"
AUDITORS = "auditors"
SUPERUSERS = "superusers"  # not a group: the flag `is_superuser`
ADMITTED = "account.admitted"  # the event of the log


class User(AbstractUser):
    """An account. Roles are the groups `admins` and `auditors`; a host is any user who owns a Space.

    archive/accounts/ changes roles, superuser status, activity and passwords, and logs each change.
    """

    username = models.CharField(
        _("username"),
        max_length=150,
        unique=True,
        help_text=_("Required. 150 characters or fewer. Letters, digits and @/./+/-/_ only."),
        validators=[UnicodeUsernameValidator(), validate_username],
        error_messages={"unique": _("A user with that username already exists.")},
    )
    first_name = models.CharField(_("first name"), max_length=150, blank=True, validators=[validate_display_name])
    last_name = models.CharField(_("last name"), max_length=150, blank=True, validators=[validate_display_name])
    groups: "models.ManyToManyField[Group, RoleMembership]" = models.ManyToManyField(  # type: ignore[assignment]
        Group,
        through="RoleMembership",
        through_fields=("user", "group"),
        blank=True,
        related_name="user_set",
        related_query_name="user",
        verbose_name=_("groups"),
    )
    time_zone = models.CharField(
        max_length=64, blank=True, help_text="IANA name, from the browser used last; empty: unknown."
    )
    time_zone_chosen = models.BooleanField(
        default=False, help_text="The user chose the time zone; browsers don't set it."
    )
    unmailed_kinds = models.JSONField(
        default=list, blank=True, help_text="Kinds of notices that are not mailed. Reminders always are."
    )
    digest_since = models.DateTimeField(
        null=True, blank=True, help_text="Since when the user gets a weekly digest; NULL: single mails."
    )
    session_generation = models.PositiveIntegerField(
        default=0, help_text="Part of every session's hash: incrementing it ends all sessions."
    )
    closed_at = models.DateTimeField(null=True, blank=True, editable=False, help_text="When the account was erased.")

    class Meta(AbstractUser.Meta):
        constraints = [models.UniqueConstraint(Upper("username"), name="user_name_once_in_any_case")]
        indexes = [models.Index(name="user_newest", fields=["date_joined", "id"], condition=Q(closed_at=None))]

    @cached_property
    def role_times(self) -> dict[str, datetime]:
        """{role: when the account got it, or was activated again with it}."""
        return dict(_ROLES.tuples(self.pk))

    @property
    def roles(self) -> frozenset[str]:
        return frozenset(self.role_times)

    @property
    def is_admin(self) -> bool:
        return ADMINS in self.roles

    @property
    def is_auditor(self) -> bool:
        return AUDITORS in self.roles

    @property
    def has_role(self) -> bool:
        """Whether they can do more than hosts: admins, auditors, staff and superusers."""
        return self.is_superuser or self.is_staff or bool(self.roles)

    @property
    def may_change_accounts(self) -> bool:
        """Whether the user may see accounts, and change roles and activity of others: admins and superusers."""
        return self.is_active and (self.is_superuser or self.is_admin)

    @property
    def display_name(self) -> str:
        return self.get_full_name() or self.username

    def role_since(self, role: str) -> datetime | None:
        """Return when the account got the role (`admins` or `auditors`), or was activated again with it; None without
        the role."""
        return self.role_times.get(role)

    def has_role_since_before(self, role: str, moment: datetime) -> bool:
        """Return whether the account has had the role since before `moment`. For decisions that need two people."""
        since = self.role_since(role)
        return since is not None and since < moment

    @cached_property
    def admitted_to(self) -> frozenset[tuple[str, int]]:
        """The cases ("appeal" or "hold", and the id) that are older than the role, and for which the operator admitted
        the account (archive/moderation/admissions.py)."""
        details = LogEntry.objects.filter(event=ADMITTED, detail__account=self.pk).values_list("detail", flat=True)
        return frozenset((kind, detail[kind]) for detail in details for kind in ("appeal", "hold") if kind in detail)

    def _get_session_auth_hash(self, secret: str | None = None) -> str:
        """Return the hash that Django compares at each request. It also depends on `session_generation`, so all
        sessions of an account can be ended without a list of them."""
        value = f"{self.password}:{self.session_generation}"
        return salted_hmac("archive.User.session", value, secret=secret, algorithm="sha256").hexdigest()


class RoleMembership(models.Model):
    """A role that an account has, since when, and which account granted it (none: the operator, by a command)."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="role_memberships")
    group = models.ForeignKey(Group, on_delete=models.CASCADE, related_name="+")
    granted_at = models.DateTimeField(db_default=Now(), editable=False)
    granted_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(name="role_membership_once", fields=["user", "group"])]

    def __str__(self) -> str:
        return f"{self.group_id} of {self.user_id}"


def _roles_of(user_id: int) -> models.QuerySet[Any, Any]:
    rows = RoleMembership.objects.filter(user=user_id, group__name__in=[ADMINS, AUDITORS])
    return rows.values_list("group__name", "granted_at")


def find_user(user_id: int) -> User | None:
    return _BY_ID.first(user_id)


def find_users(user_ids: Iterable[int]) -> dict[int, User]:
    """Return {id: account} of the accounts that exist. One query."""
    return {user.pk: user for user in _BY_IDS.objects(list(set(user_ids)))}


# Compiled, because every page needs them.
_ROLES = CompiledQuery(_roles_of, int)
_BY_IDS = CompiledQuery(lambda user_ids: User.objects.filter(pk__any=user_ids), list)
_BY_ID = CompiledQuery(lambda user_id: User.objects.filter(pk=user_id), int)
