"""The endpoint for LiveKit's webhooks. The OpenAPI document omits it, because only LiveKit calls it."""

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from archive.errors import SpacekeepError
from portal.api.errors import Forbidden, NotFound, TooLarge, Unauthorized
from portal.api.problems import answer

MAX_BODY_BYTES = 512 * 1024  # bytes; an event has a few kB


@login_not_required  # it is signed by LiveKit
@csrf_exempt  # and not sent by a browser with a session
@require_POST
def webhook(request: HttpRequest) -> HttpResponse:
    """Answers 204 once the event is stored; LiveKit sends it again after any other answer. 401 for a request that is
    not authentic, 403 while the recorder's token does not work, 404 where LiveKit is not configured."""
    try:
        _receive(request)
    except SpacekeepError as error:
        return answer(error)
    return HttpResponse(status=204)


def _receive(request: HttpRequest) -> None:
    if not settings.LIVEKIT_API_KEY:
        raise NotFound("api.not_found")
    if int(request.META.get("CONTENT_LENGTH") or 0) > MAX_BODY_BYTES:
        raise TooLarge("api.too_large")
    # LiveKit's library takes a third of a second to load, and few installations use it.
    from archive.intake.arrivals import livekit_webhook  # noqa: PLC0415

    try:
        livekit_webhook.receive(request.body, request.headers.get("Authorization", ""))
    except livekit_webhook.NotAuthentic as error:
        raise Unauthorized.of(error.problem) from error
    except livekit_webhook.RecorderNotWorking as error:
        raise Forbidden.of(error.problem) from error
