"""Models in Django's admin: names of accounts for superusers, the list of rules for admins. Never Spaces, never the
log. The site is portal/admin_site.py."""

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import URLPattern
from django.utils.translation import gettext_lazy as _

from archive.errors import Conflict
from archive.models import Rule, User
from archive.moderation import rules
from archive.search import index_spaces_of


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


class RuleForm(forms.ModelForm):  # type: ignore[type-arg]
    """`code` is a field of new rules only."""

    def clean_code(self) -> str:
        code: str = self.cleaned_data["code"]
        if Rule.objects.filter(code=code).exists():
            raise forms.ValidationError(str(Conflict("rule.exists", rule=code)))
        return code


@admin.register(Rule)
class RuleAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """The current version of each rule."""

    list_display = ("name", "code", "active")
    fields = ("code", "name", "text", "active")
    form = RuleForm

    def get_queryset(self, request: HttpRequest) -> QuerySet[Rule]:
        return super().get_queryset(request).filter(current=True)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("code",) if obj else ()  # flags and the log name a rule by its code

    def save_model(self, request: HttpRequest, obj: Rule, form: Any, change: bool) -> None:
        by = request.user
        assert isinstance(by, User)
        if change:
            saved = rules.change_rule(obj.code, obj.name, obj.text, by, active=obj.active)
        else:
            saved = rules.add_rule(obj, by)
        obj.pk = saved.pk  # Django's messages and links name it

    def _allowed(self, request: HttpRequest) -> bool:
        return isinstance(request.user, User) and rules.may_edit_rules(request.user)

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
