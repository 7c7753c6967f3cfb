"""What every web process has in common. gunicorn reads it from the folder in which it starts.

There is no access log: URLs of downloads work without signing in, so a log of URLs would hold keys.
"""

from typing import Any

from gunicorn.http import wsgi

from portal import process_metrics

process_metrics.prepare()

_default_headers = wsgi.Response.default_headers


def _headers_without_server(response: Any) -> list[str]:
    """gunicorn has no setting to leave out the header that names it."""
    return [header for header in _default_headers(response) if not header.startswith("Server:")]


wsgi.Response.default_headers = _headers_without_server


def when_ready(server: Any) -> None:
    """The master listens, and has no workers yet."""
    process_metrics.serve()


def child_exit(server: Any, worker: Any) -> None:
    process_metrics.forget_child(worker.pid)
