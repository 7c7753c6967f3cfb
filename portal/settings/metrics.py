"""Metrics for operators (docs/operations.md, "Metrics"). Off without METRICS_TOKEN."""

from portal import env

METRICS_TOKEN = env.text("METRICS_TOKEN", "")  # what a scraper sends: Authorization: Bearer ...
# The port where a process serves its own counts; 0: none. The health process serves metrics from the database.
METRICS_PORT = env.number("METRICS_PORT", 0, least=0, most=65535, id="spacekeep.E180")
