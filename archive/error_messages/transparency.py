"""The retention log and its copies."""

from django.utils.translation import gettext_lazy as _

MESSAGES = {
    "log_copy.unknown": _("There is no copy “{key}” that contradicts the log. List them: manage.py log_copies."),
    "log_copy.several": _("There are several copies at “{key}”: choose one with --sha256."),
    "log_copy.larger": _(
        "This copy is of {size} entries, and the log has {count}. If an older database was restored, entries are"
        " missing: docs/log.md says what to do. If the copy was added by hand, repeat the command with --larger."
    ),
    "restore.not_confirmed": _(
        "Deletion is paused: this database lacks a checkpoint of {count} entries ({place}), so an older database was "
        "restored. An operator has to run manage.py restore_check, which restores later flags, holds and deletions."
    ),
    "restore.unknown": _(
        "Deletion is paused: the store did not answer, so we don't know whether an older database was restored. "
        "{reason:message}"
    ),
    "restore.checkpoint_missing": _(
        "Deletion is paused: {key} is missing from the store, although this database has written it. The deleter "
        "writes it again within a minute, unless the store has entries that this database lacks."
    ),
    "restore.no_copy": _(
        "The store has entries that this database lacks, but no log/checkpoint that covers them. Put the newest "
        "checkpoint there (witnesses, auditors or their mails have it), and run the command again."
    ),
    "restore.checkpoint_unreadable": _("{key} in the store is not a checkpoint."),
    "restore.none": _("No restore needs to be confirmed."),
    "restore.reason_missing": _("A reason is needed: auditors will read it."),
    "restore.not_applied": _(
        "Entries, flags, holds or deletions are not restored yet.{steps} Run manage.py restore_check --apply first; or"
        " repeat the command with --accept-losses, if they can't be restored."
    ),
    "restore.forked": _(
        "This database has signed a checkpoint of {count} entries, but only the first {common} match the copy: there "
        "are two logs. Keep both, and find out who signed; docs/log.md says what to do."
    ),
    "restore.copy_incomplete": _("The store has no complete copy of the log up to the checkpoint of {count} entries."),
    "restore.copy_differs": _("The entries in the store do not match the checkpoint of {count} entries."),
    "restore.log_changed": _("Another process changed the log in the meantime. Run the command again."),
    "restore.entry_differs": _("Entry {entry} could not be restored as it was signed. Nothing was changed."),
    "log_copy.reason_missing": _("A reason is needed: auditors will read it."),
}
