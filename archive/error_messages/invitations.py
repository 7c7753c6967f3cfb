"""Invitations, profiles, closing accounts."""

from django.utils.translation import gettext_lazy as _

MESSAGES = {
    "invitation.bad_address": _("This is not an e-mail address."),
    "invitation.bad_days": _("An invitation is valid for 1 to {limit:number} days."),
    "invitation.no_such_role": _("Choose host, auditor or admin."),
    "invitation.has_account": _("Somebody with this e-mail address has an account already."),
    "invitation.exists": _("This address has been invited already. Send that invitation again, or revoke it first."),
    "invitation.over": _("This invitation was accepted or revoked. Make a new one."),
    "invitation.not_valid": _("This invitation has expired."),
    "invitation.inviter_not_admin": _("The admin who invited is not an active admin any more."),
    "account.name_too_long": _("A name has at most {limit:number} characters."),
    "account.name_invisible": _("A name can't have invisible characters."),
    "account.name_mixes_scripts": _(
        "A name can't mix letters or digits of several scripts, such as Latin and Cyrillic: some look alike."
    ),
    "account.name_has_marks": _("A name can't have more than {limit:number} accents on one letter."),
    "account.name_not_normal": _("Write the name like this: {name}"),
    "account.username_script": _(
        "A user name can't have letters of this script, as they look like Latin ones. Your name, as others see it, can."
    ),
    "account.username_taken": _("This user name is taken. Choose another one."),
    "account.no_such_time_zone": _("Choose a time zone from the list."),
    "account.inactive": _("This account is deactivated. Activate it first."),
    "account.own_reset_link": _("Change your own password on your account page."),
    "account.reset_link_of_a_role": _(
        "Only the operator resets the password of an admin or auditor, with: manage.py changepassword NAME. Otherwise "
        "one admin could act as two."
    ),
    "account.closed": _("This account was closed."),
    "account.hosts_spaces": _(
        "This account hosts Spaces that are not deleted yet ({count:number}). It can be closed when the last one is: "
        "on {until:time} by today's deadlines."
    ),
    "account.hosts_held_spaces": _(
        "This account hosts Spaces on legal hold ({count:number}). It can be closed when the holds are released and "
        "the Spaces are deleted."
    ),
}
