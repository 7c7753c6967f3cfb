"""The retention policy (archive/policy.py), limits of uploads and bundles, certificates, audio, transcription."""

import tempfile

from portal import env
from portal.settings.work import LEASE_SECONDS

RETENTION_DAYS = env.number("RETENTION_DAYS", 30, least=1, id="spacekeep.E011")
VIOLATION_EXTRA_DAYS = env.number("VIOLATION_EXTRA_DAYS", 90, least=0, id="spacekeep.E012")
LIFT_GRACE_DAYS = env.number("LIFT_GRACE_DAYS", 7, least=0, id="spacekeep.E013")
HOLD_RELEASE_NEEDS_SECOND_ADMIN = env.flag(
    "HOLD_RELEASE_NEEDS_SECOND_ADMIN", True
)  # the admin who releases a legal hold must not be the one who placed it
APPEAL_NEEDS_SECOND_ADMIN = env.flag("APPEAL_NEEDS_SECOND_ADMIN", True)  # by an admin who did not flag
MAX_RECORDING_SECONDS = env.number("MAX_RECORDING_SECONDS", 24 * 3600, least=1, id="spacekeep.E014")
MAX_UPLOAD_BYTES = env.number("MAX_UPLOAD_BYTES", 5 * 10**9, least=1, most=5 * 1024**4, id="spacekeep.E019")
MAX_OPEN_UPLOADS = env.number("MAX_OPEN_UPLOADS", 10, least=1, id="spacekeep.E020")  # of one user or recorder
UPLOAD_PART_BYTES = env.number(
    "UPLOAD_PART_BYTES", 16 * 1024**2, least=5 * 1024**2, most=5 * 1024**3, id="spacekeep.E021"
)
# If the store can't verify a bundle, a worker reads it once, no faster than this; 0: no limit.
READ_BACK_BYTES_PER_SECOND = env.number("READ_BACK_BYTES_PER_SECOND", 32 * 1024**2, least=0, id="spacekeep.E175")
BUNDLE_KEEP_DAYS = env.number(
    "BUNDLE_KEEP_DAYS", 7, least=1, id="spacekeep.E030"
)  # a bundle that is not downloaded for so long is removed
# If the store has lost an object of a bundle: `fail` reports that and builds no bundle; `list` builds one without it,
# and names it in data/missing.txt.
BUNDLE_MISSING_OBJECTS = env.choice("BUNDLE_MISSING_OBJECTS", ("fail", "list"), id="spacekeep.E031")
# How long a download link of a bundle or an export part works; the page always has a new one.
DOWNLOAD_URL_SECONDS = env.number("DOWNLOAD_URL_SECONDS", 24 * 3600, least=60, most=30 * 24 * 3600, id="spacekeep.E033")
SIGNED_URL_SECONDS = env.number("SIGNED_URL_SECONDS", 300, least=1, most=300, id="spacekeep.E015")

# The seed of the Ed25519 key that signs certificates of deletion (archive/retention/certificate.py).

# The public keys of it and of earlier keys, for processes that only publish them.
CERTIFICATE_PUBLIC_KEYS = env.keys(
    "CERTIFICATE_PUBLIC_KEYS",
    id="spacekeep.E041",
    hint="The public key of CERTIFICATE_KEY, then earlier ones: docs/security.md says how to get them.",
)
CERTIFICATE_KEY = env.seed(
    "CERTIFICATE_KEY",
    id="spacekeep.E040",
    hint="Make one with: openssl rand -base64 32. Keep it for as long as you can.",
)

# Decoding uploaded recordings in a child process with limits (archive/intake/audio/measure.py)

SPOOL_DIR = env.text("SPOOL_DIR", tempfile.gettempdir())  # where a recording is stored while it is decoded
DECODER_MEMORY_BYTES = env.number(
    "DECODER_MEMORY_BYTES", 1024**3, least=256 * 1024**2, most=64 * 1024**3, id="spacekeep.E022"
)
# Limit of wall time and of CPU time: below the time limit of a task, with time left for reading the recording.
DECODER_SECONDS = env.number("DECODER_SECONDS", max(1, LEASE_SECONDS * 6 // 10), least=1, id="spacekeep.E023")
# Decoded samples of all channels: a day of stereo. A few bytes can encode a minute of silence in eight channels.
MAX_RECORDING_SAMPLES = env.number("MAX_RECORDING_SAMPLES", 10**10, least=1, most=10**13, id="spacekeep.E080")
EXAMINATIONS_PER_HOST = env.number("EXAMINATIONS_PER_HOST", 1, least=1, id="spacekeep.E081")  # at a time

# Automatic transcripts: the extra `transcription`, and a folder with a Whisper model for CTranslate2. Empty: off.

TRANSCRIPTION_MODEL = env.text("TRANSCRIPTION_MODEL", "")
TRANSCRIPTION_LANGUAGE = env.text("TRANSCRIPTION_LANGUAGE", "")  # BCP 47; empty: detected
TRANSCRIPTION_THREADS = env.number("TRANSCRIPTION_THREADS", 2, least=1, most=256, id="spacekeep.E024")
