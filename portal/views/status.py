"""The status page, for operators."""

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from portal.access import may_see_status, only
from portal.http import SignedInRequest
from portal.presenters.status import status_page


@require_safe
@only(may_see_status)
def status(request: SignedInRequest) -> HttpResponse:
    """Show problems and remedies, then the facts. A script of the open page reloads it each minute."""
    return render(request, "status/page.html", status_page())
