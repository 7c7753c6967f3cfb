import json, os
from pathlib import Path
from typing import Any
import pytest
from archive import tasks
from archive.models import Arrival, Space
from tests.test_inbox import *  # noqa
from tests.test_inbox import scan_twice, work
from tests.support.arrivals import run_until_idle
from archive.intake.arrivals import settle as settling

def test_link(token, settings, tmp_path, tone):
    settings.INBOX_FOLDER = str(tmp_path / "inbox")
    mine = FolderInbox(tmp_path / "inbox" / token.prefix)
    other = FolderInbox(tmp_path / "inbox" / "skr_other")
    other.put("talk.m4a", b"theirs")
    other.put("talk.m4a.json", b"theirs")
    mine.drop("sub/talk.m4a", tone)
    scan_twice()
    (arrival,) = Arrival.objects.all()
    from archive.intake.arrivals import take
    orig = settling.settle
    settling_called = []
    import archive.tasks as t
    # everything but settling
    def no(arrival_id): settling_called.append(arrival_id); return False
    settling.settle = no
    import contextlib
    with contextlib.suppress(AssertionError): run_until_idle()
    settling.settle = orig
    arrival.refresh_from_db()
    print(arrival.state, arrival.settled)
    os.rename(mine.folder / "sub", mine.folder / ".gone")
    os.symlink(other.folder, mine.folder / "sub")
    try:
        print(settling.settle(arrival.pk))
    except Exception as e:
        print(repr(e))
    print("OTHER", other.names())
    print([ (p.name) for p in (mine.folder/".gone").iterdir()])
