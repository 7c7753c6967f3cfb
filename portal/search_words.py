"""Search words in URLs, encrypted for the user who searched.

Search words must not appear in logs of servers and proxies, or in shared URLs. A form sends the words in its body and
is redirected to a URL that contains them encrypted. So results have a URL: reload, Back, the next page and bookmarks
work without JavaScript, and nothing is stored. The key is derived from SECRET_KEY and the user's id, so the URL opens
only for them.
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
    """Return the value of PARAMETER for these words."""
    return _cipher(user).encrypt(words.encode()).decode()


def decrypt(query: Mapping[str, str], user: User) -> str:
    """Return the words in a query string, "" if there are none. Raises Refused if another user searched for them, or if
    the value was changed."""
    token = query.get(PARAMETER, "")
    try:
        return _cipher(user).decrypt(token.encode()).decode() if token else ""
    except InvalidToken:
        raise Refused("search.unreadable") from None


def find_fragment(pieces: Iterable[Piece]) -> str:
    """Return the fragment that makes the page of a Space highlight the found word in this line: "#find=beans", or "".
    Browsers do not send fragments."""
    text = next((piece.text for piece in pieces if piece.found), "")
    return f"#{urlencode({'find': text})}" if text else ""


def _cipher(user: User) -> MultiFernet:
    """Return a cipher that encrypts with SECRET_KEY, and also decrypts with former keys."""
    digests = [salted_hmac(SALT, str(user.pk), secret=secret, algorithm="sha256").digest() for secret in secret_keys()]
    return MultiFernet([Fernet(base64.urlsafe_b64encode(digest)) for digest in digests])
