"""Models in Django's admin: accounts for superusers, the list of rules for admins. Never Spaces, never the log. The
site is portal/admin_site.py."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.http import HttpRequest

from archive.models import Rule, User

admin.site.register(User, UserAdmin)


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
