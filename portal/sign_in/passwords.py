"""Password validators: refuse guessable and breached passwords.

Length matters more than kinds of characters: NIST SP 800-63B recommends no composition rules, but checks against
breached passwords and context words.
"""

import hashlib
import re
from typing import BinaryIO
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from zxcvbn import zxcvbn

from archive.models import User

MAX_JUDGED = 72  # characters; zxcvbn is slow for long texts, and does not accept longer ones
LEAST_SCORE = 4  # of 0 to 4: at least 10**10 guesses
LEAST_LETTERS = 4  # minimum length of a context word that is removed from a password before it is rated
DIGEST_CHARACTERS = 40  # SHA-1 in hexadecimal


class GuessableValidator:
    """Refuse passwords that zxcvbn can guess: words, names, dates, patterns, and words about this user."""

    def validate(self, password: str, user: User | None = None) -> None:
        words = context_words(user)
        rest = password
        for word in words:  # they add no strength
            rest = re.sub(re.escape(word), "", rest, flags=re.IGNORECASE) if len(word) >= LEAST_LETTERS else rest
        judged = zxcvbn(rest[:MAX_JUDGED], user_inputs=words, max_length=MAX_JUDGED) if rest else {"score": 0}
        if judged["score"] < LEAST_SCORE:
            raise ValidationError(self.get_help_text(), code="password_guessable")

    def get_help_text(self) -> str:
        return _("Choose a password that is hard to guess: four unrelated words, for example.")


class BreachedValidator:
    """Refuse passwords in the list of breached ones, BREACHED_PASSWORD_LIST. Uses no network."""

    def validate(self, password: str, user: User | None = None) -> None:
        digest = hashlib.sha1(password.encode(), usedforsecurity=False).hexdigest().upper().encode()
        if settings.BREACHED_PASSWORD_LIST:
            with open(settings.BREACHED_PASSWORD_LIST, "rb") as file:  # noqa: PTH123  # from a setting
                if contains(file, digest):
                    raise ValidationError(self.get_help_text(), code="password_breached")

    def get_help_text(self) -> str:
        return _("Choose a password that was never part of a known data breach.")


def context_words(user: User | None) -> list[str]:
    """Return the words that an attacker tries first: those of the site and of the user."""
    words = ["spacekeep", "space", *re.split(r"\W+", urlsplit(settings.SITE_URL).hostname or "")]
    if user is not None:
        names = (user.username, user.first_name, user.last_name, user.email)
        words += [part for name in names for part in (name, *re.split(r"\W+", name))]
    return sorted({word.lower() for word in words if word}, key=len, reverse=True)


def contains(file: BinaryIO, digest: bytes) -> bool:
    """Whether a sorted file of lines `DIGEST[:count]` has this digest (upper case). Reads some 35 lines of any file."""
    low, high = 0, file.seek(0, 2)
    while low < high:
        middle = (low + high) // 2
        line = _line_from(file, middle)
        if line and line < digest:
            low = middle + 1
        else:
            high = middle
    return _line_from(file, low) == digest


def _line_from(file: BinaryIO, offset: int) -> bytes:
    """Return the digest of the first line that starts at `offset` or later; empty at the end of the file."""
    file.seek(max(0, offset - 1))
    if offset:
        file.readline()
    return file.readline()[:DIGEST_CHARACTERS].upper()
