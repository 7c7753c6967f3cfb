"""Structured logs, as JSON on standard error (portal/log_lines.py)."""

from portal import env
from portal.log_lines import configure_structlog, logging_config

env.log_level(id="spacekeep.E182")
LOGGING = logging_config()
configure_structlog()
