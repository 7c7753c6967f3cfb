"""Requests to the API: errors that are not about one resource."""

from django.utils.translation import gettext_lazy as _

MESSAGES = {
    "api.not_signed_in": _("Send the token of a recorder (Authorization: Bearer skr_...), or sign in to the portal."),
    "api.not_found": _("There is nothing at this address, or it is not yours to see."),
    "api.bad_request": _("The request is not valid: {reason}."),
    "api.method_not_allowed": _("This address does not support this method."),
    "api.internal_error": _("Something went wrong on our side. Nothing was lost, and the error was logged."),
    "api.other": _("The request is not valid."),
    "api.invalid": _("The request is invalid; `errors` names each field."),
    "api.too_large": _("The request is too large. Don't send files here: send their parts to the store."),
    "api.not_json": _("The body must be JSON: send it with Content-Type: application/json."),
    "api.csrf": _(
        "The page's CSRF token is missing or old (X-CSRFToken). Load the page again, then repeat; nothing was lost."
    ),
    "api.second_factor": _("Your role requires a second factor. Set one up on the page of your account first."),
    "api.scope_missing": _("This token may not {scope:scope}. An admin can create one that may."),
    "api.export_not_yours": _("Only the host, or a token that names the host, can export all Spaces at once."),
    "api.idempotency_key_missing": _("Send an Idempotency-Key, so that this request can be repeated safely."),
    "api.idempotency_key_invalid": _("An Idempotency-Key must have 1 to 128 visible ASCII characters."),
    "api.idempotency_key_reused": _(
        "This Idempotency-Key was used for another request. Use a new one for a new Space."
    ),
    "api.auditors_upload_nothing": _("Auditors can't upload: they only check that the rules are followed."),
    "api.host_session_needed": _("Only the host of a Space can edit it, with their own session: not a recorder."),
    "api.only_admins_for_others": _("Only admins can upload Spaces of others. Leave `host` out for your own."),
    "api.space_deleted": _("This Space was deleted on {at:time}, at its deadline. We have no copy left."),
    "api.space_expiring": _("The deadline of this Space has passed. All copies are being deleted now."),
    "api.store_unavailable": _(
        "The object store does not work at the moment. Try again in {seconds} seconds: nothing that was uploaded is "
        "lost."
    ),
    "api.database_unavailable": _(
        "The database does not answer. Try again in {seconds} seconds: nothing that was uploaded is lost."
    ),
}
