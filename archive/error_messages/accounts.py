"""Roles and activity of accounts."""

from django.utils.translation import gettext_lazy as _

MESSAGES = {
    "account.not_found": _("There is no such account."),
    "account.no_such_role": _("There is no role “{role}”. The roles are {roles:list}."),
    "account.not_an_admin": _("{user} is neither an admin nor a superuser, and only they may change accounts."),
    "account.not_a_superuser": _("{user} is not a superuser, and only superusers may change superusers."),
    "account.own_role": _("Nobody may give a role to themselves: ask another admin."),
    "account.own_activation": _("Nobody may activate their own account: ask another admin."),
    "account.older_admin": _(
        "{user} has been an admin since {since:time}, longer than you. An older admin, a superuser or the operator can"
        " do this."
    ),
    "account.last_admin": _("This is the last active admin. Give the role to another account first."),
}
