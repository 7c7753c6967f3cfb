"""What every web process has in common. gunicorn reads it from the folder in which it starts.

There is no access log: URLs of downloads work without signing in, so a log of URLs would hold keys.
"""

import sys
from pathlib import Path
from typing import Any

from gunicorn.http import wsgi

sys.path.insert(0, str(Path(__file__).parent))

from portal import process_metrics  # found only now
from portal.log_lines import log_what_escapes, logging_config

process_metrics.prepare()
# From gunicorn's first line on: its own format would not be JSON.
logconfig_dict = logging_config()
log_what_escapes()

_default_headers = wsgi.Response.default_headers


def _headers_without_server(response: Any) -> list[str]:
    """gunicorn has no setting to leave out the header that names it."""
    return [header for header in _default_headers(response) if not header.startswith("Server:")]


wsgi.Response.default_headers = _headers_without_server


def when_ready(server: Any) -> None:
    """The master listens, and has no workers yet."""
    from portal import metrics_server  # noqa: PLC0415  (needs the settings)

    metrics_server.serve()
