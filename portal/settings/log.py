"""The proof that the retention log is complete (archive/transparency/)."""

from portal import env
from portal.settings.site import SITE_URL

# The seed of the Ed25519 key that signs checkpoints. Only the deleter needs it. Without it entries get their place in
# the tree, but nothing is signed.
LOG_KEY = env.optional_seed("LOG_KEY", id="spacekeep.E121", hint="Make one with: openssl rand -base64 32.")
# The public keys of it and of earlier keys, for processes that only verify.
LOG_PUBLIC_KEYS = env.keys(
    "LOG_PUBLIC_KEYS",
    id="spacekeep.E122",
    hint="The public key of LOG_KEY, then earlier ones: docs/log.md says how to get them.",
)
# The permanent name of the log: every checkpoint contains it, so a new name means a new log.
LOG_ORIGIN = env.log_origin("LOG_ORIGIN", SITE_URL, id="spacekeep.E123")
LOG_CHECKPOINT_SECONDS = env.number("LOG_CHECKPOINT_SECONDS", 600, least=1, most=86400, id="spacekeep.E124")
# Witnesses that cosign checkpoints (archive/transparency/witness.py), so that others remember what we signed.
LOG_WITNESSES = env.witnesses("LOG_WITNESSES", id="spacekeep.E125")
# Addresses that get the newest checkpoint by mail once a day, besides auditors
# (archive/transparency/checkpoint_mail.py).
LOG_CHECKPOINT_MAIL = env.mail_addresses("LOG_CHECKPOINT_MAIL", id="spacekeep.E130")
# A time-stamp authority (RFC 3161) that signs when a checkpoint existed, and the certificates of its issuers.
LOG_TSA_URL = env.page_address("LOG_TSA_URL", id="spacekeep.E137")
LOG_TSA_CA = env.text("LOG_TSA_CA", "")
LOG_TSA_SECONDS = env.number("LOG_TSA_SECONDS", 3600, least=60, most=86400, id="spacekeep.E138")
