"""The names of the kinds of mail that people choose among."""

from django.utils.translation import gettext as _

from archive.models.notice_kinds import LOG_CHECKPOINT, NoticeKind
from archive.notices.unsubscribe import DIGEST


def mail_label(kind: str) -> str:
    """`kind`: that of a notice, DIGEST or LOG_CHECKPOINT."""
    if kind == DIGEST:
        return _("weekly digest")
    if kind == LOG_CHECKPOINT:
        return _("the newest checkpoint of the log, once a day")
    return str(NoticeKind(kind).label)
