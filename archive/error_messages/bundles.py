"""Bundles and exports."""

from django.utils.translation import gettext_lazy as _

MESSAGES = {
    "bundle.too_late": _("The deadline of this Space has passed, so it can't be downloaded any more."),
    "bundle.deadline_first": _("The deadline passed before the bundle was ready."),
    "bundle.not_available": _("The Space is {state:space}. Request the bundle again when it is available."),
    "bundle.superseded": _("The Space changed in the meantime, and a newer bundle was requested."),
    "bundle.no_recording": _("Space {space} has no recording, so there is nothing to bundle."),
    "bundle.too_many_parts": _(
        "The bundle would need {count:number} parts, but an object store joins at most {limit:number}."
    ),
    "bundle.damaged": _(
        "The finished bundle failed its verification: it does not contain the original bytes. {reason:message} Request "
        "it again."
    ),
    "bundle.crc32_differs": _("The object store assembled bytes that differ from the uploaded ones."),
    "bundle.not_a_zip": _("It does not start like a ZIP."),
    "bundle.member_differs": _("{name} does not have the bytes that were uploaded."),
    "bundle.read_too_slow": _("Only {done:size} of {size:size} were verified within the time limit."),
    "bundle.size_differs": _("{key} has {actual} bytes instead of {expected}."),
    "feed.not_the_host": _("Only the host of a Space can create its podcast feed."),
    "feed.not_served": _("A podcast feed needs a recording that can be played. This Space has none now."),
    "export.bad_part_size": _("Choose 2, 10 or 50 GB as the maximum file size."),
    "export.nothing": _("None of your Spaces can be downloaded right now."),
    "export.nothing_chosen": _("Tick the Spaces that you want to download."),
    "export.not_downloadable": _("One of the chosen Spaces can't be downloaded. Choose again from the list."),
    "export.all_expired": _("Every Space in this part has reached its deadline."),
    "export.space_expired": _("A Space in this part has reached its deadline."),
    "export.superseded": _("A newer export was requested."),
}
