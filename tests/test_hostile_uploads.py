"""A real worker examines uploaded hostile files: it refuses them with a reason, and continues to work.

A transcript of 50 MB is missing here, because it is refused before its first byte (tests/test_upload_limits.py).
"""

from pathlib import Path

import pytest

from archive.models import Space, UploadSession, User
from archive.storage import keys, store
from tests.support.factory import make_row, make_space
from tests.support.hostile_files import REFUSED_FILES
from tests.support.processes import Services
from tests.support.uploads import store_upload
from tests.support.waiting import dispatch_until

TRANSCRIPTS = {
    "long.vtt": b"WEBVTT\n\n00:00.000 --> 00:01.000\n" + b"x" * 15_000_000,
    "deep.json": b'{"segments":' + b"[" * 10_000 + b"]" * 10_000 + b"}",
    "nul.vtt": b"\x00" * 1000,
}


@pytest.mark.usefixtures("committed")
@pytest.mark.long
def test_each_hostile_file_is_refused_and_the_worker_survives(
    services: Services, alice: User, tone: Path, tmp_path: Path
) -> None:
    spaces = {name: make_row(alice, state="processing", title=name) for name in REFUSED_FILES}
    for name, make in REFUSED_FILES.items():
        store_upload(spaces[name], make(tmp_path / name))
    talk = make_space(alice, recording=tone, transcript=None)
    (tmp_path / "script.vtt").write_text("WEBVTT\n\n00:00.000 --> 00:01.000\n<script>alert(1)</script> <b>Beans</b>\n")
    script = store_upload(talk, tmp_path / "script.vtt", "transcript")
    uploads = []
    for name, data in TRANSCRIPTS.items():
        (tmp_path / name).write_bytes(data)
        uploads.append(store_upload(talk, tmp_path / name, "transcript"))
    honest = make_row(alice, state="processing", title="Honest")
    store_upload(honest, tone)

    worker = services.worker()

    def looked_at() -> bool:
        waiting = UploadSession.objects.filter(state="uploaded").exists()
        return not waiting and not Space.objects.filter(state="processing").exists()

    dispatch_until(looked_at, "all of them were looked at")
    for name, space in spaces.items():
        space.refresh_from_db()
        assert space.state == "rejected", (name, space.problem_text)
        assert space.problem_text.startswith(f"{name}: "), space.problem
        assert not store().listing(keys.prefix(space.pk)), name
    for upload in uploads:
        upload.refresh_from_db()
        assert upload.state == "rejected", upload.name
        assert upload.problem_text.startswith(f"{upload.name}: "), upload.problem
    script.refresh_from_db()
    assert script.state == "accepted"  # the part that a browser could run was removed
    assert [cue["text"] for cue in talk.transcripts.get().cues] == ["alert(1) Beans"]
    honest.refresh_from_db()
    assert honest.state == "available"
    assert worker.running
