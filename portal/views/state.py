"""The state that open pages poll (portal/static/portal/core/live.js)."""

from django.http import HttpResponse, JsonResponse
from django.views.decorators.http import conditional_page, require_safe

from portal.forms.lists import StateForm
from portal.http import SignedInRequest, background
from portal.presenters.live import page_state


@background
@conditional_page
@require_safe
def state(request: SignedInRequest) -> HttpResponse:
    """Return at most 300 bytes of JSON with an ETag: open notices, and the state of the Spaces on the page. It contains
    no content, so it is not logged as an access. Being a background request, it does not prolong the session."""
    form = StateForm(request.GET)
    form.full_clean()
    content = page_state(request.user, form.cleaned_data["spaces"])
    return JsonResponse(content, json_dumps_params={"separators": (",", ":")})
