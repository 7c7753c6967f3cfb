"""Webhooks, for admins: the endpoints and their last deliveries."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from archive.errors import Refused
from archive.models import WebhookDelivery, WebhookEndpoint
from archive.webhooks import endpoints
from archive.webhooks.endpoints import EndpointState
from portal.access import is_admin, only
from portal.forms.webhooks import EVENTS, WebhookForm
from portal.http import SignedInRequest
from portal.paging import page_of
from portal.reauthentication import require_reauthentication
from portal.submissions import once, submit

PER_PAGE = 50


@require_http_methods(["GET", "HEAD", "POST"])
@only(is_admin)
@require_reauthentication
def webhooks(request: SignedInRequest) -> HttpResponse:
    """List all endpoints, the newest first. POST creates one and shows its secret, only once."""
    if request.method != "POST":
        return _list(request, WebhookForm(initial={"events": [event for event, _label in EVENTS]}))
    form = WebhookForm(request.POST)
    try:
        if form.is_valid():
            with once(request) as is_first:
                if not is_first:
                    messages.info(
                        request, _("This form was sent twice. The webhook was created once, its secret shown then.")
                    )
                    return redirect("webhooks")
                endpoint, secret = endpoints.create(**_fields(form), by=request.user)
            return _page(request, endpoint.pk, secret=secret)
    except Refused as error:
        form.add_error(None, str(error))
    form.show_problems(request)
    return _list(request, form, status=422)


@require_safe
@only(is_admin)
def webhook(request: SignedInRequest, endpoint_id: UUID) -> HttpResponse:
    """Show one endpoint and its deliveries of 30 days, the newest first."""
    return _page(request, endpoint_id)


@require_POST
@only(is_admin)
@require_reauthentication
def change(request: SignedInRequest, endpoint_id: UUID) -> HttpResponse:
    _find(endpoint_id)
    form = WebhookForm(request.POST)
    if not submit(request, form, lambda asked: endpoints.change(endpoint_id, *_values(asked), request.user)):
        return _page(request, endpoint_id, form=form, status=422)
    messages.success(request, _("The webhook was changed. Waiting events go to the new address."))
    return redirect("webhook", endpoint_id)


@require_POST
@only(is_admin)
@require_reauthentication
def replace_secret(request: SignedInRequest, endpoint_id: UUID) -> HttpResponse:
    """Replace the secret, and show the new one, only once."""
    _find(endpoint_id)
    with once(request) as is_first:
        if is_first:
            return _page(request, endpoint_id, secret=endpoints.replace_secret(endpoint_id, request.user))
    messages.info(request, _("This form was sent twice. The secret was replaced once, and shown then."))
    return redirect("webhook", endpoint_id)


@require_POST
@only(is_admin)
@require_reauthentication
def start(request: SignedInRequest, endpoint_id: UUID) -> HttpResponse:
    return _act(request, endpoint_id, endpoints.start, _("The webhook is switched on, and you are its owner."))


@require_POST
@only(is_admin)
@require_reauthentication
def stop(request: SignedInRequest, endpoint_id: UUID) -> HttpResponse:
    return _act(request, endpoint_id, endpoints.stop, _("The webhook is switched off."))


@require_POST
@only(is_admin)
@require_reauthentication
def remove(request: SignedInRequest, endpoint_id: UUID) -> HttpResponse:
    _find(endpoint_id)
    endpoints.remove(endpoint_id, request.user)
    messages.success(request, _("The webhook was removed. Waiting events are not sent."))
    return redirect("webhooks")


@require_POST
@only(is_admin)
@require_reauthentication
def send_test(request: SignedInRequest, endpoint_id: UUID) -> HttpResponse:
    done = _("A test is on its way. Reload this page to see its outcome.")
    return _act(request, endpoint_id, endpoints.send_test, done)


@require_POST
@only(is_admin)
@require_reauthentication
def send_again(request: SignedInRequest, endpoint_id: UUID, delivery_id: UUID) -> HttpResponse:
    if not WebhookDelivery.objects.filter(pk=delivery_id, endpoint=endpoint_id).exists():
        raise Http404

    def again(endpoint_id: UUID, by: Any) -> None:
        endpoints.send_again(endpoint_id, delivery_id, by)

    return _act(request, endpoint_id, again, _("The event is on its way again."))


def _act(request: SignedInRequest, endpoint_id: UUID, act: Callable[[UUID, Any], object], done: str) -> HttpResponse:
    """Run the action once, and report success or the refusal on the page of the endpoint."""
    _find(endpoint_id)
    try:
        with once(request) as is_first:
            if is_first:
                act(endpoint_id, request.user)
    except Refused as error:
        messages.error(request, str(error))
    else:
        messages.success(request, done)
    return redirect("webhook", endpoint_id)


def _fields(form: WebhookForm) -> dict[str, Any]:
    name, url, types = _values(form.cleaned_data)
    return {"name": name, "url": url, "types": types}


def _values(asked: dict[str, Any]) -> tuple[str, str, list[str]]:
    return asked["name"], asked["url"], asked["events"]


def _find(endpoint_id: UUID) -> WebhookEndpoint:
    endpoint = WebhookEndpoint.objects.select_related("owner").filter(pk=endpoint_id).first()
    if endpoint is None:
        raise Http404
    return endpoint


def _list(request: SignedInRequest, form: WebhookForm, status: int = 200) -> HttpResponse:
    rows = [
        {"endpoint": endpoint, "state": endpoints.state(endpoint)}
        for endpoint in WebhookEndpoint.objects.select_related("owner").prefetch_related("owner__groups")
    ]
    return render(request, "webhooks/list.html", {"rows": rows, "form": form, "events": EVENTS}, status=status)


def _page(
    request: SignedInRequest,
    endpoint_id: UUID,
    *,
    form: WebhookForm | None = None,
    secret: str = "",
    status: int = 200,
) -> HttpResponse:
    endpoint = _find(endpoint_id)
    initial = {"name": endpoint.name, "url": endpoint.url, "events": endpoint.events}
    deliveries = WebhookDelivery.objects.filter(endpoint=endpoint)
    after, order = request.GET.get("after"), ("created_at", "id")
    page, cursor = page_of(deliveries, after, order, PER_PAGE, descending=True)
    context = {
        "endpoint": endpoint,
        "state": (state := endpoints.state(endpoint)),
        "is_on": state in (EndpointState.WORKS, EndpointState.FAILING),
        "former_until": endpoints.former_secret_until(endpoint),
        "form": form or WebhookForm(initial=initial),
        "events": EVENTS,
        "secret": secret,
        "deliveries": page,
        "next_url": f"{reverse('webhook', args=[endpoint_id])}?after={cursor}" if cursor else "",
    }
    return render(request, "webhooks/page.html", context, status=status)
