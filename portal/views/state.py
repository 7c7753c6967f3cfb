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
    """JSON of at most 300 bytes with an ETag: open notices, and the state of the Spaces that the page shows. It hands
    out no content, so it is no access. The page asks by itself, so it does not prolong the session."""
    form = StateForm(request.GET)
    form.full_clean()
    content = page_state(request.user, form.cleaned_data["spaces"])
    return JsonResponse(content, json_dumps_params={"separators": (",", ":")})
