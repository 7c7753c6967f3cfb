"""From its deadline on a Space answers 410 everywhere, and it is soon deleted, without any command."""

import re
import time
from datetime import timedelta
from pathlib import Path

import pytest

from archive import dbtime
from archive.models import LogEntry, Space, User
from archive.storage import keys, store
from tests.support.bundles import build_bundle
from tests.support.deadlines import approaching_deadlines
from tests.support.http_clients import fetch, session_cookie
from tests.support.processes import Services, manage
from tests.support.waiting import wait_until


@pytest.mark.usefixtures("committed")
def test_a_space_expires_and_is_deleted_at_its_deadline(
    services: Services, alice: User, demo_recording: Path, demo_transcript: Path
) -> None:
    cookie = session_cookie(alice)
    services.web()
    ended_at = (dbtime.now() - timedelta(days=29)).isoformat()
    output = manage(
        services,
        *("ingest", str(demo_recording), "--host", "alice", "--ended-at", ended_at),
        *("--transcript", str(demo_transcript), "--language", "en", "--title", "Seeds"),
    )
    space = Space.objects.get(pk=output.stdout.strip())
    build_bundle(Space.objects.get())
    page = f"{services.url}/spaces/{space.id}/"
    shown = fetch(page, cookie)[2].decode()
    (bundle,) = set(re.findall(rf"{services.url}/download/[^\s\"'&]+\.zip", shown))
    pages = [page, f"{page}audio", f"{page}recording", f"{page}bundle", bundle]
    pages += [f"{page}transcript.{form}" for form in ("vtt", "srt", "txt", "json")]

    for deadline in approaching_deadlines(space):
        before = [fetch(address, cookie, HX_Request="true") for address in pages]
        signed = [before[number][1]["Location"] for number in (1, 2, 4)]  # served by the store itself
        handed_out = [fetch(address)[0] for address in signed if address]
        if dbtime.now() < deadline:
            break
    assert [status for status, _, _ in before] == [200, 302, 302, 200, 302, 200, 200, 200, 200]
    assert handed_out == [200, 200, 200]

    services.worker()
    services.beat()
    time.sleep(max((deadline - dbtime.now()).total_seconds(), 0))
    assert [fetch(address, cookie)[0] for address in pages] == [410] * 9
    assert [fetch(address)[0] for address in signed if address] == [403] * 3

    wait_until(lambda: not store().listing(keys.prefix(space.id)), "the store has no object of it")
    wait_until(lambda: Space.objects.get(pk=space.pk).state == "deleted", "it is a tombstone")
    assert [fetch(address, cookie)[0] for address in pages[:4]] == [410] * 4
    assert LogEntry.objects.get(space_id=space.id, event="deletion.started").at >= deadline
