"""A process that cannot do its work does not start, and says in one line why."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.test import override_settings
from pytest_django import Settings

from archive import signing_keys
from archive.display import assets
from archive.intake.importers import tags
from archive.intake.transcripts import subtitles
from archive.log import SYSTEM
from portal import processes, self_tests
from tests.support import speech_samples
from tests.support.broken_decoder import break_decoder
from tests.support.processes import ROOT
from tests.support.waiting import PATIENCE

KEY = bytes(range(32))


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    """Remove this process's cached results."""
    self_tests.failures.cache_clear()
    yield
    self_tests.failures.cache_clear()


def failures(process: str) -> list[str]:
    return [f"{each.id}: {each.msg}" for each in self_tests.failures(process)]


@pytest.mark.parametrize(
    ("process", "ids"),
    {
        "web": ["E032", "E191", "E192"],
        "worker": ["E195", "E032", "E191", "E192"],
        "transcriber": ["E195", "E196"],
        "deleter": ["E193", "E194"],
        "health": [],
        "beat": [],
        "setup": [],
    }.items(),
)
def test_each_process_tests_its_own_work(process: str, ids: list[str]) -> None:
    assert process in processes.ALL
    own = [test.id.removeprefix("spacekeep.") for test in self_tests.TESTS if process in test.needed_by]
    assert own == ids


@pytest.mark.django_db
def test_here_everything_works() -> None:
    assert self_tests.failures(*processes.ALL) == []


def test_a_decoder_that_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An incompatible change of a library has this effect."""
    break_decoder(monkeypatch, tmp_path, 'no_such_argument="replace"')

    assert failures("worker") == failures("transcriber")[:1]
    (line,) = failures("worker")
    assert line.startswith(
        "spacekeep.E195: This process can't decode a known recording: The decoder failed (TypeError). That is a fault"
    )


def test_a_folder_for_recordings_that_is_missing(settings: Settings) -> None:
    settings.SPOOL_DIR = "/nowhere"

    (line,) = failures("worker")
    assert "spacekeep.E195: This process can't decode a known recording: [Errno 2] No such file or directory" in line


def test_a_model_that_cannot_be_loaded(tmp_path: Path, settings: Settings) -> None:
    """Half a file, as after a copy that was interrupted; and a language that it does not know."""
    settings.TRANSCRIPTION_MODEL = speech_samples.MODEL
    assert failures("transcriber") == []
    settings.TRANSCRIPTION_LANGUAGE = "tlh"
    self_tests.failures.cache_clear()
    failure = "spacekeep.E196: This process can't use the model of TRANSCRIPTION_MODEL: "
    assert failures("transcriber") == [f"{failure}ValueError: the model does not know the language tlh."]

    model = shutil.copytree(speech_samples.MODEL, tmp_path / "model")
    with (model / "model.bin").open("r+b") as file:
        file.truncate(1_000_000)
    settings.TRANSCRIPTION_MODEL = str(model)
    self_tests.failures.cache_clear()
    (line,) = failures("transcriber")
    assert line.startswith(f"{failure}RuntimeError: ")


def test_a_page_that_cannot_be_rendered(tmp_path: Path, settings: Settings) -> None:
    (tmp_path / assets.TEMPLATE).parent.mkdir(parents=True)
    (tmp_path / assets.TEMPLATE).write_text('{% extends "base.html" %}')

    engine: dict[str, Any] = settings.TEMPLATES[0]
    with override_settings(TEMPLATES=[engine | {"DIRS": [tmp_path, *engine["DIRS"]]}]):
        assets.assets.cache_clear()
        (line,) = failures("web")
    assets.assets.cache_clear()

    assert line == "spacekeep.E032: The page of a bundle can't be made: it lacks 'A self-test'."


@pytest.mark.parametrize(
    ("template", "text", "reason"),
    [
        ("archive/parts/clock.html", "{% no_such_tag %}", "Invalid block tag on line 1: 'no_such_tag'"),
        ("archive/bundle/transcript.html", "", "it lacks 'Seeds are &lt;small&gt; &amp; many.'."),
    ],
)
def test_a_page_that_is_incomplete(tmp_path: Path, settings: Settings, template: str, text: str, reason: str) -> None:
    (tmp_path / template).parent.mkdir(parents=True)
    (tmp_path / template).write_text(text)

    engine: dict[str, Any] = settings.TEMPLATES[0]
    with override_settings(TEMPLATES=[engine | {"DIRS": [tmp_path, *engine["DIRS"]]}]):
        assets.assets.cache_clear()
        (line,) = failures("worker")
    assets.assets.cache_clear()

    assert line.startswith(f"spacekeep.E032: The page of a bundle can't be made: {reason}")


@pytest.mark.parametrize(
    ("module", "function"), [(subtitles, "clean_lines"), (tags, "pick_frames")], ids=["transcript", "tags"]
)
def test_files_that_cannot_be_read(monkeypatch: pytest.MonkeyPatch, module: Any, function: str) -> None:
    monkeypatch.delattr(module, function)

    (line,) = failures("web")
    assert line.startswith("spacekeep.E191: This process can't read a known transcript and known tags: ")


@pytest.mark.django_db
@pytest.mark.parametrize("kind", ["certificate", "log"])
def test_a_key_that_was_retired(kind: str, settings: Settings) -> None:
    """With a retired key of the log, deletions continue, because they do not sign with it."""
    setattr(settings, f"{kind.upper()}_KEY", KEY)
    public = Ed25519PrivateKey.from_private_bytes(KEY).public_key().public_bytes_raw()
    signing_keys.record_use(kind, public)
    signing_keys.retire(kind, public, SYSTEM)

    expected = [
        "spacekeep.E193: This process can't sign certificates of deletion: CERTIFICATE_KEY is "
        f"{signing_keys.key_id(kind, public)}, which was retired: this process signs nothing with it."
    ]
    assert failures("deleter") == (expected if kind == "certificate" else [])


def test_a_signature_that_is_wrong(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.LOG_KEY = KEY
    monkeypatch.setattr(signing_keys, "_has_signed", lambda *_: False)

    assert failures("deleter") == [
        "spacekeep.E193: This process can't sign certificates of deletion: its signature can't be verified.",
        "spacekeep.E194: This process can't sign checkpoints of the log: its signature can't be verified.",
    ]


def run(*arguments: str, **env: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, *arguments]
    changed = {**os.environ, **env}
    return subprocess.run(command, env=changed, cwd=ROOT, text=True, capture_output=True, check=False, timeout=PATIENCE)


def test_a_worker_that_cannot_decode_does_not_start() -> None:
    done = run("-m", "celery", "-A", "portal.celery", "--quiet", "worker", "--pool=solo", SPOOL_DIR="/nowhere")

    assert done.returncode == 3
    (line,) = [line for line in done.stderr.splitlines() if "SecurityWarning" not in line]  # Celery warns about root
    assert line.startswith("spacekeep.E195: This process can't decode a known recording: ")
    assert "Traceback" not in done.stderr


def test_an_engine_that_is_down_is_no_reason() -> None:
    """The engine may be up again when there is work."""
    code = "import django; django.setup(); from portal import checks; checks.stop_if_wrong(serves_as=['deleter'])"

    done = run("-c", code, DATABASE_URL="postgres://nobody@127.0.0.1:1/nothing")

    assert (done.returncode, done.stderr) == (0, "")


def test_health_checks_its_settings_and_not_the_database() -> None:
    """A wrong setting stops it as any other process. An engine that is down is what it is there to say."""
    own = {"PROCESS": "health", "CERTIFICATE_KEY": "", "LOG_KEY": ""}
    down = {**own, "DATABASE_URL": "postgres://nobody@127.0.0.1:1/nothing"}

    done = run("-c", "import portal.health", **down)
    assert (done.returncode, done.stderr) == (0, "")
    done = run("-c", "import portal.health", **down, RETENTION_DAYS="0")
    assert done.returncode == 3
    assert done.stderr.startswith("spacekeep.E011: ")
