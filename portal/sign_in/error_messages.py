"""Errors of allauth's forms in this site's words: what is wrong, and what to do about it.

The keys are those of allauth's adapters. For a missing key, users would see allauth's own sentence
(tests/test_sign_in_messages.py compares them).
"""

from django.utils.translation import gettext_lazy as _

_MISMATCH = _("No account has this name and password. Check both, and try again.")
_TAKEN = _("Another account has this e-mail address. Use another address.")
_CODE = _("This code is not correct, or it was used already. Enter the current one.")
_LIMITED = _("Too many requests. Nothing was lost: wait a minute, then try again.")
_EXPIRED = _("This link or code has expired or was used already. Ask for a new one.")

ACCOUNT = {
    "account_inactive": _("This account is closed. Ask an admin of this site."),
    "cannot_remove_primary_email": _(
        "This is the main address of the account. Choose another main address, then remove it."
    ),
    "duplicate_email": _("This account has this e-mail address already."),
    "email_password_mismatch": _MISMATCH,
    "phone_password_mismatch": _MISMATCH,
    "username_password_mismatch": _MISMATCH,
    "email_taken": _TAKEN,
    "enter_current_password": _("This is not your current password. Try again."),
    "incorrect_code": _CODE,
    "incorrect_password": _("This is not your password. Try again."),
    "invalid_or_expired_key": _EXPIRED,
    "invalid_login": _MISMATCH,
    "invalid_password_reset": _EXPIRED,
    "max_email_addresses": _("An account has at most %d e-mail addresses. Remove one first."),
    "phone_taken": _("Another account has this phone number. Use another number."),
    "too_many_login_attempts": _("Too many failed sign-in attempts. Wait some minutes, then try again."),
    "unknown_email": _("No account has this e-mail address. Check it for typing errors."),
    "unknown_phone": _("No account has this phone number. Check it for typing errors."),
    "unverified_primary_email": _("Confirm the e-mail address of this account first: open the link in our mail to it."),
    "username_blacklisted": _("This user name is reserved. Choose another one."),
    "username_taken": _("Another account has this user name. Choose another one."),
    "select_only_one": _("Choose only one."),
    "same_as_current": _("This is the same as before. Enter a new one."),
    "rate_limited": _LIMITED,
}

MFA = {
    "add_email_blocked": _("Turn off the second factor before you add an e-mail address."),
    "cannot_delete_authenticator": _("This account needs a second factor. Add another one, then remove this one."),
    "cannot_generate_recovery_codes": _("Add a second factor first. Recovery codes are for when it is lost."),
    "incorrect_code": _CODE,
    "unverified_email": _("Confirm the e-mail address of this account first: open the link in our mail to it."),
}

SOCIAL = {
    "email_taken": _("An account here has this e-mail address. Sign in to it, then connect your %s account."),
    "invalid_token": _("The sign-in has expired. Start again."),
    "no_password": _("Set a password first; otherwise you could not sign in again."),
    "no_verified_email": _("Confirm an e-mail address first; otherwise you could not sign in again."),
    "disconnect_last": _("This is the only way in which you can sign in. Set a password first."),
    "connected_other": _("Another account here is connected to this one. Disconnect it there first."),
}
