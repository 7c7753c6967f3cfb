"""Outgoing webhooks (archive/webhooks): where events may be sent."""

from portal import env

# Networks that may receive webhooks, besides public addresses.
WEBHOOK_ALLOWED_NETWORKS = env.networks("WEBHOOK_ALLOWED_NETWORKS", id="spacekeep.E140")
# Plain HTTP, to loopback addresses of WEBHOOK_ALLOWED_NETWORKS only.
WEBHOOK_ALLOW_HTTP = env.flag("WEBHOOK_ALLOW_HTTP", False)
WEBHOOK_CA_BUNDLE = env.text("WEBHOOK_CA_BUNDLE", "")  # authorities for receivers, besides the system's
# A webhook is switched off after so long without a successful delivery.
WEBHOOK_STOP_DAYS = env.number("WEBHOOK_STOP_DAYS", 5, least=1, most=365, id="spacekeep.E141")
