"""The form of a webhook: name, URL, and the events it receives."""

from django import forms

from archive.models import WebhookEndpoint
from archive.models.webhook import SUBSCRIBABLE
from archive.webhooks.addresses import MAX_URL
from portal.forms.base import PortalForm, TextField, lazy_sentence

EVENTS = [(str(event), event.label) for event in SUBSCRIBABLE]


class WebhookForm(PortalForm):
    NAME = lazy_sentence("webhook.bad_name")
    URL = lazy_sentence("webhook.bad_url")
    NO_EVENT = lazy_sentence("webhook.no_event")

    name = TextField(
        max_length=WebhookEndpoint._meta.get_field("name").max_length,
        error_messages={"required": NAME, "max_length": NAME},
    )
    url = TextField(
        max_length=MAX_URL,
        error_messages={"required": URL},
        sentences={"max_length": "webhook.url_too_long"},
        widget=forms.URLInput,
    )
    events = forms.MultipleChoiceField(
        choices=EVENTS, error_messages={"required": NO_EVENT, "invalid_choice": NO_EVENT}
    )
