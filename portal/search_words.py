"""Search words in URLs, encrypted for the user who searched.

What people search for must not be in the logs of servers and proxies, nor in URLs that are passed on. A form sends the
words in its body and is redirected to a URL that has them encrypted, so results keep a URL: reload, Back, the next page
and bookmarks work without JavaScript, and nothing is stored. The key is derived from SECRET_KEY and the user's id, so
the URL opens only for them.
"""

import base64
from collections.abc import Iterable, Mapping
from urllib.parse import urlencode

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.utils.crypto import salted_hmac

from archive.encryption import secret_keys
from archive.errors import Refused
from archive.models import User
from archive.search import Piece

PARAMETER = "words"
SALT = "portal.search_words"


def encrypt(words: str, user: User) -> str:
    """The value of PARAMETER for these words."""
    return _cipher(user).encrypt(words.encode()).decode()


def decrypt(query: Mapping[str, str], user: User) -> str:
    """The words in a query string, "" without any. Raises Refused if another user searched for them, or if they were
    changed."""
    token = query.get(PARAMETER, "")
    try:
        return _cipher(user).decrypt(token.encode()).decode() if token else ""
    except InvalidToken:
        raise Refused("search.unreadable") from None


def find_fragment(pieces: Iterable[Piece]) -> str:
    """The fragment with which the page of a Space marks the word that was found in this line: "#find=beans", or "".
    Browsers do not send it."""
    text = next((piece.text for piece in pieces if piece.found), "")
    return f"#{urlencode({'find': text})}" if text else ""


def _cipher(user: User) -> MultiFernet:
    """It encrypts with SECRET_KEY, and decrypts what was encrypted with a former one, too."""
    digests = [salted_hmac(SALT, str(user.pk), secret=secret, algorithm="sha256").digest() for secret in secret_keys()]
    return MultiFernet([Fernet(base64.urlsafe_b64encode(digest)) for digest in digests])
