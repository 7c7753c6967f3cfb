"""The page of a Space says that its work was parked after ten failed attempts."""

import pytest

from archive.errors import Problem, make_problem
from archive.models import UploadSession, User
from tests.support.factory import make_row
from tests.support.http_clients import make_client

pytestmark = pytest.mark.usefixtures("db")

STOPPED = make_problem("work.unexpected", error="KeyError")
PARKED = make_problem("work.parked", count=10, reason=STOPPED)


@pytest.mark.parametrize(
    ("problem", "is_parked", "interval"), [(PARKED, True, "every 60s"), (STOPPED, False, "every 1s")]
)
def test_a_parked_recording_is_safe(alice: User, problem: Problem, is_parked: bool, interval: str) -> None:
    space = make_row(alice, state="processing", problem=problem)

    page = make_client(alice).get(f"/spaces/{space.pk}/").content.decode()

    for text in (
        "Checking this recording stopped unexpectedly 10 times.",
        "Your recording is safe: every byte of it is stored.",
        "The operator was alerted.",
    ):
        assert (text in page) is is_parked
    assert ("We will retry automatically." in page) is not is_parked
    assert interval in page


def test_a_parked_transcript_is_safe(alice: User) -> None:
    space = make_row(alice)
    UploadSession.objects.create(
        space=space, created_by=alice, kind="transcript", name="talk.vtt", size=1, part_size=1, key="k", upload_id="u",
        state="uploaded", etag="e", problem=PARKED,
    )  # fmt: skip

    page = make_client(alice).get(f"/spaces/{space.pk}/").content.decode()

    assert "Reading the transcript <bdi>talk.vtt</bdi> stopped unexpectedly 10 times." in page
    assert "Your transcript is safe: every byte of it is stored." in page
    assert "is being read" not in page
