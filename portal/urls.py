from allauth.account import views as account
from allauth.account.decorators import secure_admin_login
from django.contrib import admin
from django.urls import include, path

from portal.views import bundles, content, health, log, moderation, spaces

# Of allauth's pages those that we use: nobody signs up, and there is no mail yet that could reset a password.
accounts = [
    path("login/", account.login, name="account_login"),
    path("logout/", account.logout, name="account_logout"),
    path("inactive/", account.account_inactive, name="account_inactive"),
    path("password/change/", account.password_change, name="account_change_password"),
    path("reauthenticate/", account.reauthenticate, name="account_reauthenticate"),
    path("signup/", account.signup, name="account_signup"),
]
# The admin's own form would not count failed sign-ins; allauth's does.
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]

handler500 = "portal.views.errors.server_error"

urlpatterns = [
    path("", spaces.spaces, name="spaces"),
    path("spaces/<uuid:space_id>/", spaces.space, name="space"),
    path("spaces/<uuid:space_id>/audio", content.audio, name="audio"),
    path("spaces/<uuid:space_id>/recording", content.recording, name="recording"),
    path("spaces/<uuid:space_id>/transcript.<str:ending>", content.transcript, name="transcript"),
    path("spaces/<uuid:space_id>/bundle", bundles.bundle, name="bundle"),
    path("spaces/<uuid:space_id>/flag", moderation.flag, name="flag"),
    path("spaces/<uuid:space_id>/lift", moderation.lift, name="lift"),
    path("get/<str:token>/bundle.zip", content.get, name="get"),
    path("log/", log.log, name="log"),
    path("log/spaces/<uuid:space_id>/", log.log_space, name="log-space"),
    path("healthz", health.healthz, name="healthz"),
    path("accounts/", include(accounts)),
    path("admin/", admin.site.urls),
]
