"""Addresses of searches, as the redirect after a search form gives them."""

from urllib.parse import parse_qsl, urlencode, urlsplit

from archive.models import User
from portal.search_words import encrypt


def search_url(user: User, words: str, path: str = "/search/", **more: str) -> str:
    return f"{path}?{urlencode({**more, 'words': encrypt(words, user)})}"


def encrypt_words(url: str, user: User) -> str:
    """`url` with the words of a search, in the query `q`, encrypted; others as they are."""
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query))
    words = query.pop("q", "")
    return search_url(user, words, parts.path, **query) if words else url
