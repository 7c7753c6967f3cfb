"""The one URL that the archive expects of a site: the page of a Space, which mail links to."""

from django.http import HttpRequest, HttpResponse
from django.urls import path


def space(request: HttpRequest, space_id: str) -> HttpResponse:
    return HttpResponse(space_id)


urlpatterns = [path("spaces/<uuid:space_id>/", space, name="space")]
