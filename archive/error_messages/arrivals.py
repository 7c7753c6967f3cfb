"""Recordings from recorders: LiveKit and inboxes."""

from django.utils.translation import gettext_lazy as _

MESSAGES = {
    "arrival.token_not_working": _(
        "The token {token} does not work: it was revoked, has expired, or its creator is no longer an admin."
    ),
    "arrival.empty": _("The recording is empty."),
    "arrival.size_differs": _("The recording has {size:number} bytes, and its sidecar announces {expected:number}."),
    "arrival.recording_missing": _("The recording {name} is missing."),
    "arrival.source_changed": _(
        "The recording {name} changed while it was copied. When it is complete, put it into the inbox under a new name."
    ),
    "arrival.sidecar_missing": _("The recording has no sidecar. Write {name}, with the facts of the Space."),
    "arrival.sidecar_no_object": _("The sidecar is not a JSON object."),
    "arrival.sidecar_unknown_fields": _("The sidecar has unknown fields: {names:list}."),
    "arrival.sidecar_lacks": _("The sidecar lacks {name}."),
    "arrival.sidecar_field": _("The sidecar's {name} has a wrong format; see the documentation of inboxes."),
    "arrival.folder_fails": _("{folder}: the folder can't be read or written ({error})."),
    "arrival.what_to_do": _(
        "Correct this and write the sidecar again; then {name} is fetched again. Or remove both files. Nothing was "
        "removed."
    ),
    "arrival.cannot_retry": _(
        "{id} can't be fetched again: this works only for recordings that were refused before they were examined."
    ),
    "livekit.not_authentic": _("The request is not signed with LiveKit's API secret, or its signature has expired."),
    "livekit.not_an_event": _("The body is not an event of LiveKit."),
    "livekit.recorder_not_working": _(
        "The token {token} that LIVEKIT_RECORDER names does not work, or may not upload."
    ),
    "livekit.egress_failed": _("LiveKit has no recording of this egress ({reason})."),
    "livekit.egress_lost": _(
        "LiveKit never reported the end of the egress {egress}. If its recording exists, upload it yourself."
    ),
    "livekit.key_not_allowed": _("LiveKit's file is not below the prefix “{prefix}” (LIVEKIT_PREFIX)."),
    "livekit.end_unknown": _("LiveKit does not say when the recording ended."),
}
