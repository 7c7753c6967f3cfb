"""The commands that verify and export the log, with the real database and store."""

import json
import subprocess
import sys
import zipfile
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import transaction

from archive import log
from archive.log import SYSTEM, events
from archive.models import LogEntry, LogLeaf
from archive.storage import keys, store
from archive.storage.purge_prefix import purge_listing
from archive.transparency import sequence
from archive.transparency.keys import public_keys
from tests.support.database import as_superuser

pytestmark = pytest.mark.usefixtures("committed")


@pytest.fixture(autouse=True)
def sequenced(committed: None, bucket: object) -> None:
    """A log of 300 entries, with a checkpoint."""
    purge_listing(store(), store().listing(keys.LOG))
    with transaction.atomic():
        log.record_all(events.DIGEST_EMPTY, [(None, {"number": i}) for i in range(300)], actor=SYSTEM)
    sequence.run()


def verify(*arguments: str) -> dict[str, object]:
    out = StringIO()
    try:
        call_command("verify_log", "--json", *arguments, stdout=out)
    except CommandError as error:
        return {**json.loads(out.getvalue()), "text": str(error)}
    return dict(json.loads(out.getvalue()))


def test_an_untouched_log_is_verified() -> None:
    at = log.rfc3339(LogEntry.objects.latest("id").at)

    assert verify() == {
        "valid": True,
        "code": "log.verified",
        "count": 300,
        "at": at,
        "checkpoints": 1,
        "keys": f"127.0.0.1:8000/log ({public_keys()[0].id.hex()})",
    }


@pytest.mark.parametrize(
    ("statement", "code", "place"),
    [
        ("UPDATE archive_logentry SET detail = '{}' WHERE id = {0}", "entry.changed", 40),
        ("UPDATE archive_logentry SET at = at - interval '1 microsecond' WHERE id = {0}", "entry.changed", 40),
        ("DELETE FROM archive_logentry WHERE id = {0}", "entry.removed", 40),
        ("DELETE FROM archive_logentry WHERE id >= {0}", "entries.cut_off", 40),
        ("UPDATE archive_logleaf SET entry_id = -entry_id WHERE index IN (40, 41); "
         "UPDATE archive_logleaf SET entry_id = {0} + 1 WHERE index = 40; "
         "UPDATE archive_logleaf SET entry_id = {0} WHERE index = 41", "entry.swapped", 40),
    ],
)  # fmt: skip
def test_what_a_superuser_changes_is_named(statement: str, code: str, place: int) -> None:
    as_superuser(*statement.replace("{0}", str(LogLeaf.objects.get(index=place).entry_id)).split("; "))

    found = verify()

    assert (found["valid"], found["code"], found["index"]) == (False, code, place)


def test_an_entry_that_was_kept_out_of_the_tree_is_named() -> None:
    as_superuser(
        "INSERT INTO archive_logentry (at, event, premis, actor_kind, detail) "
        "VALUES (now() - interval '1 hour', 'digest.empty', '', 'system', '{}')"
    )  # triggers are off, so it is not queued
    late = LogEntry.objects.latest("id").pk

    assert {**verify(), "text": ""} == {"valid": False, "code": "entries.unnumbered", "entry": late, "text": ""}


def test_an_export_is_verified_without_the_archive(tmp_path: Path) -> None:
    path = tmp_path / "log.zip"

    call_command("export_log", str(path), stdout=StringIO())

    with zipfile.ZipFile(path) as package:
        assert set(package.namelist()) == {
            *("entries.jsonl", "checkpoints.txt", "keys.txt", "datapackage.json", "verify_log.py"),
            *("verify.html", "README.txt"),
            *("tile/0/000", "tile/0/001.p/44", "tile/1/000.p/1"),
        }
        package.extract("verify_log.py", tmp_path)
        key = package.read("keys.txt").decode().split()[0]
    assert key == str(public_keys()[0])
    result = subprocess.run(
        [sys.executable, "-I", tmp_path / "verify_log.py", path, "--key", key],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (result.returncode, result.stderr) == (0, "")
    assert "Verified: 300 entries" in result.stdout


def test_a_log_without_a_checkpoint_exports_nothing(tmp_path: Path) -> None:
    as_superuser("DELETE FROM archive_logcheckpoint")

    with pytest.raises(CommandError, match="no checkpoint"):
        call_command("export_log", str(tmp_path / "log.zip"), stdout=StringIO())

    assert list(tmp_path.iterdir()) == []
