"""Models in Django's admin: names of accounts for superusers, the list of rules for admins. Never Spaces, never the
log. The site is portal/admin_site.py."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.http import HttpRequest
from django.urls import URLPattern
from django.utils.translation import gettext_lazy as _

from archive.models import Rule, User


@admin.register(User)
class AccountAdmin(UserAdmin):  # type: ignore[type-arg]
    """Accounts, without what grants power: roles, activity, e-mail and password change through archive/accounts/, which
    checks and logs."""

    list_display = ("username", "first_name", "last_name", "role_names", "is_active")
    list_filter = ("is_superuser", "is_active", "groups")
    filter_horizontal = ()
    readonly_fields = ("email", "role_names", "is_superuser", "is_active", "last_login", "date_joined")
    fieldsets = (
        (None, {"fields": ("username", "first_name", "last_name", "time_zone", "email")}),
        (None, {"fields": ("role_names", "is_superuser", "is_active", "last_login", "date_joined")}),
    )

    @admin.display(description=_("Roles"))
    def role_names(self, account: User) -> str:
        return ", ".join(sorted(account.roles))

    def get_urls(self) -> list[URLPattern]:
        return [url for url in super().get_urls() if url.name != "auth_user_password_change"]

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # the log and certificates name accounts by their number


@admin.register(Rule)
class RuleAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ("name", "code", "active")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("code",) if obj else ()  # flags and the log name a rule by its code

    def _allowed(self, request: HttpRequest) -> bool:
        return isinstance(request.user, User) and (request.user.is_admin or request.user.is_superuser)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self._allowed(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._allowed(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self._allowed(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._allowed(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # a used rule stays; deactivate it instead
