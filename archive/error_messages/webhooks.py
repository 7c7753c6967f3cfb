"""Webhooks: faults of an endpoint, and the reasons for not delivering an event."""

from django.utils.translation import gettext_lazy as _

MESSAGES = {
    "webhook.not_an_admin": _("Only admins set up webhooks."),
    "webhook.bad_name": _("Enter a name of at most 100 characters."),
    "webhook.no_event": _("Choose at least one event."),
    "webhook.too_many": _("There are {limit:number} webhooks already. Remove one first."),
    "webhook.not_found": _("This webhook does not exist any more."),
    "webhook.bad_url": _("Events can't be sent to this address. Enter one such as https://example.org/events."),
    "webhook.url_too_long": _("The address has {length:number} characters; {limit:number} are allowed."),
    "webhook.not_https": _("The address has to start with https://."),
    "webhook.url_with_password": _("The address has a user name or a password. Leave them out: each event is signed."),
    "webhook.url_with_fragment": _("The address has a part after #, which servers never receive. Leave it out."),
    "webhook.bad_host": _("“{host}” is not the name of a host."),
    "webhook.forbidden_address": _(
        "“{host}” has the address {address}, which can't receive events: it is not public, and not in "
        "WEBHOOK_ALLOWED_NETWORKS."
    ),
    "webhook.not_delivered": _("This event is on its way already."),
    "webhook.unknown_host": _("The address of “{host}” could not be found."),
    "webhook.not_reachable": _("The receiver can't be reached ({error})."),
    "webhook.tls_failed": _("There is no secure connection to the receiver ({error})."),
    "webhook.timed_out": _("The receiver did not answer within {seconds:number} seconds."),
    "webhook.bad_answer": _("The receiver's answer is not HTTP, or too long ({error})."),
    "webhook.redirected": _(
        "The receiver answered {status}, a redirect. Redirects are not followed: change the address."
    ),
    "webhook.not_accepted": _("The receiver answered {status}."),
    "webhook.gone": _("The receiver answered 410: it wants no more events."),
    "webhook.stopped": _("The webhook does not work: {why:stop}."),
    "webhook.owner_not_admin": _("The webhook does not work: its owner is no longer an admin."),
    "webhook.secret_unreadable": _(
        "SECRET_KEY was replaced, so the secret of this webhook can't be read. Make a new secret."
    ),
}
