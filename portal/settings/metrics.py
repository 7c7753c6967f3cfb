"""Metrics for operators (docs/operations.md, "Metrics"). Off without METRICS_TOKEN."""

from portal import env

METRICS_TOKEN = env.text("METRICS_TOKEN", "")  # what a scraper sends: Authorization: Bearer ...
# Where a process shows what only itself knows; 0: nowhere. What the database knows is shown by the health process.
METRICS_PORT = env.number("METRICS_PORT", 0, least=0, most=65535, id="spacekeep.E180")
