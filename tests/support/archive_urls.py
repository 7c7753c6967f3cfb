"""The URLs that the archive expects of a site, because mails link to them: a Space, an invitation, an account, all
Spaces, a webhook, and unsubscribing."""

from django.http import HttpRequest, HttpResponse
from django.urls import path


def space(request: HttpRequest, space_id: str) -> HttpResponse:
    return HttpResponse(space_id)


def invitation(request: HttpRequest, token: str) -> HttpResponse:
    return HttpResponse(token)


def webhook(request: HttpRequest, endpoint_id: str) -> HttpResponse:
    return HttpResponse(endpoint_id)


def page(request: HttpRequest) -> HttpResponse:
    return HttpResponse(request.path)


urlpatterns = [
    path("", page, name="spaces"),
    path("account/", page, name="account"),
    path("rules/", page, name="house-rules"),
    path("unsubscribe/<str:token>/", invitation, name="unsubscribe"),
    path("spaces/<uuid:space_id>/", space, name="space"),
    path("webhooks/<uuid:endpoint_id>/", webhook, name="webhook"),
    path("invitation/<str:token>/", invitation, name="invitation"),
]
