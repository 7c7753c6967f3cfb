"""The LiveKit example of the documentation, run as a process against real servers."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from archive import recorders
from archive.models import Arrival, Space, User
from archive.storage import store
from tests.support.livekit import BUCKET, KEY, PREFIX, SECRET
from tests.support.processes import ROOT, Services
from tests.support.waiting import dispatch_until

EXAMPLE = ROOT / "docs" / "example_livekit.py"


@pytest.mark.long
def test_the_example_becomes_a_space(
    services: Services, alice: User, admin: User, demo_recording: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    token, _ = recorders.create_token("livekit", 30, admin, [alice])
    livekit = {"LIVEKIT_API_KEY": KEY, "LIVEKIT_API_SECRET": SECRET, "LIVEKIT_BUCKET": BUCKET}
    livekit |= {"LIVEKIT_PREFIX": PREFIX, "LIVEKIT_RECORDER": token.prefix, "LIVEKIT_WAIT_SECONDS": "0"}
    for name, value in livekit.items():
        monkeypatch.setenv(name, value)
    services.web()
    services.worker()

    command = [sys.executable, str(EXAMPLE), str(demo_recording), "alice"]
    env = {**os.environ, "SITE_URL": services.url}
    done = subprocess.run(command, env=env, text=True, capture_output=True, check=False, timeout=600)

    assert done.returncode == 0, done.stderr
    lines = ["204 participant_left"] * 3 + ["204 egress_ended", "204 room_finished"]
    assert done.stdout.splitlines() == lines
    dispatch_until(lambda: Arrival.objects.filter(state="accepted", settled=True).exists(), "it is in the archive")
    space = Space.objects.get()
    assert (space.title, space.state, space.listeners_peak) == ("An example from LiveKit", "available", 1)
    assert list(space.participants.values_list("role", "name")) == [("host", "Alice"), ("speaker", "Bo")]
    (recording,) = space.recordings.all()
    assert store().read(recording.key, 0, recording.size, recording.etag) == demo_recording.read_bytes()
