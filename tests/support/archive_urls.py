"""The URLs that the archive expects of a site, since mail links to them: the pages of a Space and of an invitation."""

from django.http import HttpRequest, HttpResponse
from django.urls import path


def space(request: HttpRequest, space_id: str) -> HttpResponse:
    return HttpResponse(space_id)


def invitation(request: HttpRequest, token: str) -> HttpResponse:
    return HttpResponse(token)


urlpatterns = [
    path("spaces/<uuid:space_id>/", space, name="space"),
    path("invitation/<str:token>/", invitation, name="invitation"),
]
