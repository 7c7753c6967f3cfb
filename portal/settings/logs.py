"""Structured logs, as JSON on standard error (portal/log_lines.py)."""

from portal import env
from portal.log_lines import configure_structlog, logging_config

LOGGING = logging_config(env.text("LOG_LEVEL", "INFO").upper())
configure_structlog()
