"""Unsubscribe from a kind of mail with one click in a mail program (RFC 8058), without signing in.

The link is signed for one account and one kind, and has no other effect, so it never expires. Reminders of a deletion
have no such link: they are always mailed.
"""

from django.conf import settings
from django.core import signing
from django.db import transaction
from django.urls import reverse

from archive.models import User
from archive.models.notice_kinds import LOG_CHECKPOINT, OPTIONAL_KINDS, NoticeKind

SALT = "archive.unsubscribe"
DIGEST = "digest"
NO_NOTICES = (DIGEST, LOG_CHECKPOINT)


def one_click_url(user: User, kind: str) -> str:
    """Return the address that unsubscribes `user` from mail of this kind (or DIGEST, or LOG_CHECKPOINT); "" for
    reminders."""
    if kind not in (*OPTIONAL_KINDS, *NO_NOTICES):
        return ""
    token = signing.dumps([user.pk, str(kind)], salt=SALT, compress=False)
    return settings.SITE_URL + reverse("unsubscribe", args=[token])


def read_token(token: str) -> tuple[int, str]:
    """Return the account's id and the kind. Raises BadSignature for text that we did not sign."""
    try:
        account_id, kind = signing.loads(token, salt=SALT)
        return int(account_id), str(kind) if kind in NO_NOTICES else NoticeKind(kind)
    except (ValueError, TypeError) as error:  # signed by a version with other kinds
        raise signing.BadSignature from error


def unsubscribe(token: str) -> str:
    """Stop mailing this kind to the account; for DIGEST, stop all mail except reminders. Idempotent. Returns the kind.
    Raises BadSignature."""
    account_id, kind = read_token(token)
    with transaction.atomic():
        user = User.objects.select_for_update().filter(pk=account_id).first()
        if user is not None:
            ended = OPTIONAL_KINDS if kind == DIGEST else [kind]
            user.unmailed_kinds = list(dict.fromkeys([*user.unmailed_kinds, *map(str, ended)]))
            user.digest_since = None if kind == DIGEST else user.digest_since
            user.save(update_fields=["unmailed_kinds", "digest_since"])
    return kind
