from django.contrib import admin
from django.urls import include, path

from portal.views import bundles, content, health, log, moderation, spaces

urlpatterns = [
    path("", spaces.spaces, name="spaces"),
    path("spaces/<uuid:space_id>/", spaces.space, name="space"),
    path("spaces/<uuid:space_id>/audio", content.audio, name="audio"),
    path("spaces/<uuid:space_id>/recording", content.recording, name="recording"),
    path("spaces/<uuid:space_id>/transcript.<str:ending>", content.transcript, name="transcript"),
    path("spaces/<uuid:space_id>/bundle", bundles.bundle, name="bundle"),
    path("spaces/<uuid:space_id>/flag", moderation.flag, name="flag"),
    path("spaces/<uuid:space_id>/lift", moderation.lift, name="lift"),
    path("get/<str:token>/<str:filename>", content.get, name="get"),
    path("log/", log.log, name="log"),
    path("log/spaces/<uuid:space_id>/", log.log_space, name="log-space"),
    path("healthz", health.healthz, name="healthz"),
    path("accounts/", include("allauth.account.urls")),
    path("admin/", admin.site.urls),
]
