"""The retention log and its copies."""

from django.utils.translation import gettext_lazy as _

MESSAGES = {
    "log_copy.unknown": _("“{key}” is none of the copies that contradict the log. List them: manage.py log_copies."),
    "log_copy.several": _("Several copies lie at “{key}”: name one with --sha256."),
    "log_copy.larger": _(
        "This copy is of {size} entries, and the log has {count}. If an older database was restored, entries are"
        " missing: docs/log.md says what to do. If somebody added the copy, repeat the command with --larger."
    ),
    "log_copy.reason_missing": _("A reason is needed: auditors will read it."),
}
