"""E-mail, and the reasons for not sending a notice."""

from django.utils.translation import gettext_lazy as _

MESSAGES = {
    "mail.server_down": _("The mail server can't be used ({error})."),
    "mail.not_taken": _("The mail server did not accept the message ({error})."),
    "mail.bad_address": _("This is not an e-mail address. Correct it in the account."),
    "mail.address_refused": _("The mail server does not accept mail for this address ({reply})."),
    "mail.message_refused": _("The mail server did not accept the message ({reply})."),
    "notice.space_gone": _("The Space was deleted, or its deadline has passed."),
    "notice.deadline_moved": _("The deadline moved."),
    "notice.bundle_removed": _("The bundle was removed."),
    "notice.bundle_downloaded": _("The bundle was downloaded already."),
    "notice.bundle_requested_again": _("The bundle was requested again."),
    "notice.hold_reviewed": _("The hold was released, or its review has another date."),
    "notice.on_hold": _("The Space is on hold again."),
    "notice.not_on_hold": _("The hold was released."),
    "notice.violation_lifted": _("The flag was lifted."),
    "notice.no_access": _("This person may not see the Space any more."),
}
