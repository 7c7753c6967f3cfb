"""Limits of requests of one person or recorder (archive/rate_limits.py), and of storage."""

from portal import env

MINUTE, HOUR, DAY = 60, 3600, 24 * 3600

# Each is a number of requests and a period in seconds.
RATE_LIMITS = {
    "api": (env.number("API_REQUESTS_PER_MINUTE", 1200, least=1, id="spacekeep.E083"), MINUTE),
    "bundle": (env.number("BUNDLES_PER_HOUR", 300, least=1, id="spacekeep.E084"), HOUR),
    "edit": (env.number("EDITS_PER_HOUR", 600, least=1, id="spacekeep.E120"), HOUR),
    "export": (env.number("EXPORTS_PER_HOUR", 60, least=1, id="spacekeep.E085"), HOUR),
    "feed": (env.number("FEED_REQUESTS_PER_HOUR", 1200, least=1, id="spacekeep.E111"), HOUR),
    "flag": (env.number("FLAGS_PER_HOUR", 1000, least=1, id="spacekeep.E086"), HOUR),
    "inspect": (env.number("INSPECTIONS_PER_HOUR", 1200, least=1, id="spacekeep.E087"), HOUR),
    "search": (env.number("SEARCHES_PER_MINUTE", 300, least=1, id="spacekeep.E088"), MINUTE),
    "space": (env.number("SPACES_PER_DAY", 1000, least=1, id="spacekeep.E089"), DAY),
}
# For all Spaces of one host: stored recordings and transcripts, and announced uploads.
MAX_HOST_BYTES = env.number("MAX_HOST_BYTES", 10**12, least=1, most=1024**6, id="spacekeep.E090")
