"""Django's admin site: who may use it, and how they sign in."""

from collections.abc import Callable, Iterable
from typing import Any

from allauth.account.decorators import secure_admin_login
from django.contrib.admin import AdminSite
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.decorators import method_decorator

from archive.models import User
from portal.reauthentication import require_reauthentication_to_read


class SpacekeepAdminSite(AdminSite):
    site_header = site_title = "Spacekeep"
    enable_nav_sidebar = False  # it has two links, and moves the page while it loads

    def register(self, model_or_iterable: Any, admin_class: Any = None, **options: Any) -> None:
        """Register the archive's own models and no others: addresses, second factors and linked accounts of the
        libraries would be ways to sign in as somebody else, and groups to change every member's role."""
        models = model_or_iterable if isinstance(model_or_iterable, Iterable) else [model_or_iterable]
        own = [model for model in models if model._meta.app_label == "archive"]
        super().register(own, admin_class, **options)

    def has_permission(self, request: HttpRequest) -> bool:
        """Staff: members of `admins` have pages of their own."""
        user = request.user
        return isinstance(user, User) and user.is_active and user.is_staff

    def admin_view(self, view: Callable[..., Any], cacheable: bool = False) -> Any:
        """Require a recent sign-in for every page, because the admin can change the names that people sign in with."""
        return super().admin_view(require_reauthentication_to_read(view), cacheable)

    def password_change(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """Redirect to allauth's page, which limits guesses of the old password; the admin's own does not."""
        return redirect("account_change_password")

    @method_decorator(login_not_required)
    @method_decorator(secure_admin_login)
    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Sign in with allauth, which counts failed attempts; the admin's own form does not."""
        return super().login(request, extra_context)
