"""What the Django admin shows: accounts for superusers, the list of rules for admins. Never Spaces, never the log."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.http import HttpRequest

from archive.models import Rule, User


def may_enter(request: HttpRequest) -> bool:
    """Staff, and members of `admins`, who find the rules there and nothing else."""
    user = request.user
    return isinstance(user, User) and user.is_active and (user.is_staff or user.is_admin)


admin.site.has_permission = may_enter  # type: ignore[method-assign]
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
        return False  # a rule that was used stays; switch it off instead
