"""Trials of downloads, and of what a browser may do."""

from io import BytesIO

from django.conf import settings
from django.utils.translation import gettext_noop as _

from archive.errors import Problem, make_problem
from archive.storage.multipart import write
from archive.storage.presigned_parts import PART_CHECKSUM
from archive.storage.s3 import Store
from archive.storage.trials.attempts import MINUTE, check_nothing, describe_answer, send
from archive.storage.trials.trial import Trials

TRIALS = Trials()
trial = TRIALS.trial


@trial(_("signed URLs with ranges, file name and type"))
def _signed_ranges(store: Store, prefix: str) -> Problem:
    written = write(store, f"{prefix}object", BytesIO(b"rehearsal"), "text/plain", check=check_nothing)
    url = store.signed_url(written.key, expires=MINUTE, filename="talk.m4a", content_type="audio/mp4", inline=False)
    status, body, headers = send("GET", url, headers={"Range": "bytes=2-5"})
    if body != "hear" or status not in (200, 206):
        return make_problem("trial.range_refused", answer=describe_answer(status, body))
    if "talk.m4a" not in (headers["Content-Disposition"] or ""):
        return make_problem("trial.file_name_missing")
    return {}


@trial(
    _("ranges are answered with 206"),
    fallback=_("players can't jump in a recording, and downloads start from the beginning"),
)
def _partial_content(store: Store, prefix: str) -> Problem:
    written = write(store, f"{prefix}object", BytesIO(b"rehearsal"), "text/plain", check=check_nothing)
    url = store.signed_url(written.key, expires=MINUTE, filename="talk.m4a", content_type="audio/mp4", inline=True)
    status = send("GET", url, headers={"Range": "bytes=2-5"})[0]
    return {} if status == 206 else make_problem("trial.range_refused", answer=str(status))


@trial(_("downloads have the type of their file"), fallback=_("players guess the type of a recording"))
def _signed_types(store: Store, prefix: str) -> Problem:
    written = write(store, f"{prefix}object", BytesIO(b"rehearsal"), "text/plain", check=check_nothing)
    url = store.signed_url(written.key, expires=MINUTE, filename="talk.m4a", content_type="audio/mp4", inline=True)
    found = send("GET", url)[2]["Content-Type"]
    return {} if found == "audio/mp4" else make_problem("trial.type_differs", type=str(found))


@trial(
    _("the browser may upload and read (CORS)"),
    fallback=_("browsers can't upload until the store allows it; recorders can"),
    remedy=_("Allow GET, HEAD and PUT from SITE_URL at the store (docs/stores.md), and check S3_PUBLIC_ENDPOINT_URL."),
)
def _cors(store: Store, prefix: str) -> Problem:
    url = store.signed_url(
        f"{prefix}object", expires=MINUTE, filename="talk.m4a", content_type="audio/mp4", inline=False
    )
    asked = {
        "Origin": settings.SITE_URL,
        "Access-Control-Request-Method": "PUT",
        "Access-Control-Request-Headers": PART_CHECKSUM,
    }
    status, body, headers = send("OPTIONS", url, headers=asked)
    allowed = headers["Access-Control-Allow-Origin"]
    if status < 300 and allowed in ("*", settings.SITE_URL):
        return {}
    answer = describe_answer(status, body)
    if not allowed:
        return make_problem("trial.no_origin_allowed", answer=answer)
    return make_problem("trial.other_origin_allowed", answer=answer, origin=allowed)
