"""What every web process has in common. gunicorn reads it from the folder in which it starts.

There is no access log: URLs of downloads work without signing in, so a log of URLs would hold keys.
"""

from typing import Any

from gunicorn.http import wsgi

_default_headers = wsgi.Response.default_headers


def _headers_without_server(response: Any) -> list[str]:
    """gunicorn has no setting to leave out the header that names it."""
    return [header for header in _default_headers(response) if not header.startswith("Server:")]


wsgi.Response.default_headers = _headers_without_server
