"""Addresses of searches, as in the redirect after a search form."""

from urllib.parse import parse_qsl, urlencode, urlsplit

from archive.models import User
from portal.search_words import encrypt


def search_url(user: User, words: str, path: str = "/search/", **more: str) -> str:
    return f"{path}?{urlencode({**more, 'words': encrypt(words, user)})}"


def encrypt_words(url: str, user: User) -> str:
    """Return `url` with the words of a search (the query `q`) encrypted. Other addresses stay as they are."""
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query))
    words = query.pop("q", "")
    return search_url(user, words, parts.path, **query) if words else url
