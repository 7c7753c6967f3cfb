"""The uploaded bytes must be those that were announced, part by part, even on a store that compares nothing.

SeaweedFS compares the checksums of parts itself. So these tests put the parts into the store first, as if a store had
ignored the header.
"""

import base64
import hashlib
from pathlib import Path

import pytest

from archive.errors import Refused
from archive.intake.publish import finish
from archive.intake.transcripts.import_upload import read
from archive.intake.uploads.verify import AnnouncedChecksums
from archive.models import Space, UploadPart, UploadSession, User
from archive.storage import keys, store
from tests.support.factory import make_row, make_space
from tests.support.uploads import store_upload

pytestmark = pytest.mark.usefixtures("db")

PART = 1000  # bytes


@pytest.fixture
def space(alice: User) -> Space:
    return make_row(alice, state="processing", title="Beans")


def announce(upload: UploadSession, file: Path, *, wrong: tuple[int, ...] = (), unknown: tuple[int, ...] = ()) -> int:
    """Store the announced checksums of the parts of `file`. Returns the number of parts."""
    data = file.read_bytes()
    pieces = [data[start : start + PART] for start in range(0, len(data), PART)]
    for number, piece in enumerate(pieces, 1):
        digest = hashlib.sha256(b"something else" if number in wrong else piece).digest()
        sha256 = "" if number in unknown else base64.b64encode(digest).decode()
        UploadPart.objects.create(session=upload, number=number, sha256=sha256)
    return len(pieces)


def test_the_announced_bytes_are_accepted(space: Space, tone: Path) -> None:
    upload = store_upload(space, tone, part_size=PART)
    count = announce(upload, tone, unknown=(2,))

    assert count > 5
    assert finish(space.pk)
    assert not upload.parts.exists()


def test_wrong_parts_are_named_and_nothing_of_the_file_is_used(space: Space, tone: Path) -> None:
    upload = store_upload(space, tone, part_size=PART)
    count = announce(upload, tone, wrong=(2, 5), unknown=(3,))

    assert count > 5
    assert not finish(space.pk)

    space.refresh_from_db()
    assert (space.state, space.problem_code) == ("rejected", "upload.part_sha256_differs")
    assert "parts 2, 5 have another SHA-256" in space.problem_text
    assert not store().listing(keys.prefix(space.pk))


def test_a_wrong_last_part_is_named(space: Space, tone: Path) -> None:
    upload = store_upload(space, tone, part_size=PART)
    last = len(tone.read_bytes()) // PART + 1
    announce(upload, tone, wrong=(last,))

    assert not finish(space.pk)

    space.refresh_from_db()
    assert space.problem["params"]["parts"] == [last]


def test_a_transcript_with_other_bytes_is_refused(alice: User, tmp_path: Path) -> None:
    space = make_space(alice, transcript=None)
    file = tmp_path / "talk.vtt"
    file.write_text("WEBVTT\n\n00:00.000 --> 00:01.000\nHello\n")
    upload = store_upload(space, file, "transcript", part_size=PART)
    announce(upload, file, wrong=(1,))

    assert not read(upload.pk)

    upload.refresh_from_db()
    assert (upload.state, upload.problem["code"]) == ("rejected", "upload.part_sha256_differs")
    assert not space.transcripts.exists()


@pytest.mark.parametrize("step", [1, 7, PART, PART + 1, 10 * PART])
def test_the_size_of_the_pieces_that_are_read_does_not_matter(space: Space, tone: Path, step: int) -> None:
    upload = store_upload(space, tone, part_size=PART)
    announce(upload, tone, wrong=(4,))
    announced, data = AnnouncedChecksums(upload), tone.read_bytes()

    for start in range(0, len(data), step):
        announced.update(data[start : start + step])

    with pytest.raises(Refused) as refused:
        announced.check()
    assert refused.value.params["parts"] == [4]
