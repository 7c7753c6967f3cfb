"""Django's admin: superusers edit the names of accounts there. It never shows Spaces or the log. The site itself is
portal/admin_site.py."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.db import transaction
from django.http import HttpRequest
from django.urls import URLPattern
from django.utils.translation import gettext_lazy as _

from archive.models import User
from archive.search import index_spaces_of


@admin.register(User)
class AccountAdmin(UserAdmin):  # type: ignore[type-arg]
    """Accounts, with read-only privileges: archive/accounts/ changes roles, activity, e-mail addresses and passwords,
    since it checks and logs each change."""

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

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        with transaction.atomic():
            super().save_model(request, obj, form, change)
            if {"username", "first_name", "last_name"} & set(form.changed_data):
                index_spaces_of(obj)

    def get_urls(self) -> list[URLPattern]:
        return [url for url in super().get_urls() if url.name != "auth_user_password_change"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False  # people are invited, and choose their own passwords

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # the log and certificates name accounts by their number
