"""A bug in our code is never reported as a fault of the file: each function that reads transcripts and metadata files
raises once, and exactly that error must come out. (For the decoder: test_decoder_failed.py.)"""

import json
import logging
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import mutagen
import pytest
from pytest_django import Settings

from archive.errors import InspectionFailed, SpacekeepError
from archive.intake import importers, transcripts
from archive.intake.bounded import run_bounded
from archive.intake.transcripts.speakers import find_speaker_names
from tests.support.audio_files import make_tone
from tests.support.errors import raises_error
from tests.test_transcripts_corpus import CASES, FOLDER

PACKAGES = tuple(package.__path__[0] for package in (importers, transcripts))
# They raise these errors on purpose: our code gets them through a library that calls them (json.loads).
RAISES_ON_PURPOSE = {"_refused"}

X_SPACE = {"id": "1ypKdEXvkMLGW", "endedAt": "2026-11-22T20:05:10.250Z", "totalParticipated": "435"}
EGRESS = {
    "egress_id": "EG_1",
    "room_name": "seeds",
    "started_at": "1795372810000000000",
    "file_results": [{"filename": "seeds.ogg", "ended_at": "1795377910250000000", "size": "5"}],
}
TWSPACE = {"data": {"audioSpace": {"metadata": {"rest_id": "1ypKdEXvkMLGW", "title": "Seeds", "state": "Ended"}}}}
VTT = "WEBVTT\n\n00:00.000 --> 00:01.000\nHello\n"

Work = Callable[[], object]


class Bug(TypeError, ValueError, KeyError, IndexError, ArithmeticError, RecursionError):
    """An instance of everything that a mistake in Python code raises, so that any `except` for one of them catches
    it."""


def transcript_works() -> Iterator[Work]:
    texts = [case.text.encode() for case in CASES] + [
        path.read_bytes() for path in sorted((FOLDER / "cases").iterdir())
    ]
    for data in texts:
        yield lambda data=data: transcripts.parse(data, lenient=True, duration_ms=1000)  # type: ignore[misc]
        yield lambda data=data: transcripts.check_format(data)  # type: ignore[misc]
    yield lambda: find_speaker_names(VTT.encode())


def import_works(folder: Path) -> Iterator[Work]:
    script = f"window.YTD.spaces_metadata.part0 = [{json.dumps(X_SPACE)}]"
    files = {
        "x": {"data/spaces-metadata.js": script, "data/spaces_media/space-1ypKdEXvkMLGW.ts": "ID3 sound", "a.txt": ""},
        "livekit": {"seeds.ogg": "sound", "EG_1.json": json.dumps(EGRESS), "seeds.en.vtt": VTT},
        "twspace": {"seeds.m4a": "sound", "seeds.json": json.dumps(TWSPACE), "odd.json": "{"},
        "zoom": {"2026-11-22 20.05.10 Seeds/audio1234567890.m4a": "sound", "2026-11-22 20.05.10 Seeds/chat.txt": "hi"},
    }
    for tool, named in files.items():
        place, archive = folder / tool, folder / f"{tool}.zip"
        with zipfile.ZipFile(archive, "w") as packed:
            for name, text in named.items():
                (place / name).parent.mkdir(parents=True, exist_ok=True)
                (place / name).write_text(text)
                packed.writestr(name, text)
        data = {name: text.encode() for name, text in named.items()}
        yield lambda data=data: importers.inspect(data)  # type: ignore[misc]
        yield lambda data=data: importers.sort_heads(  # type: ignore[misc]
            [importers.Head(name, len(text), text, "") for name, text in data.items()]
        )
        for path in (place, archive):
            yield lambda path=path: [each.facts for each in importers.survey(path).candidates]  # type: ignore[misc]
    for kind in ("mp3", "m4a", "flac", "opus"):
        sound = make_tagged(folder / f"seeds.{kind}", kind)
        yield lambda name=f"seeds.{kind}", sound=sound: importers.inspect({name: sound})  # type: ignore[misc]


def make_tagged(path: Path, kind: str) -> bytes:
    tagged: Any = mutagen.File(make_tone(path, kind, seconds=1), easy=True)
    if tagged.tags is None:
        tagged.add_tags()
    tagged["title"] = "Seeds"
    tagged.save()
    return path.read_bytes()


def functions_of(work: Work) -> list[CodeType]:
    """Return our functions that `work` calls, in the order of their first calls."""
    called: dict[CodeType, None] = {}

    def note(frame: FrameType, event: str, argument: object) -> None:
        if event == "call" and frame.f_code.co_filename.startswith(PACKAGES):
            called.setdefault(frame.f_code)

    sys.setprofile(note)
    try:
        work()
    except SpacekeepError:
        pass  # the file is refused, as it should be
    finally:
        sys.setprofile(None)
    return list(called)


def fail_in(code: CodeType, work: Work) -> object:
    """Return the result or the error of `work` if the function raises at its first call."""

    def fail(frame: FrameType, event: str, argument: object) -> None:
        if event == "call" and frame.f_code is code:
            sys.setprofile(None)
            raise Bug("words of somebody")

    sys.setprofile(fail)
    try:
        return work()
    except Exception as error:
        return error
    finally:
        sys.setprofile(None)


def survivors(works: Iterator[Work], caplog: pytest.LogCaptureFixture) -> tuple[int, list[str]]:
    """Let each function fail once. Returns how many there were, and where another error or a result came out without a
    log line."""
    tried: set[CodeType] = set()
    wrong = []
    for work in works:
        for code in functions_of(work):
            if code in tried or code.co_name in RAISES_ON_PURPOSE:
                continue
            tried.add(code)
            caplog.clear()
            came = fail_in(code, work)
            is_logged = "tags_failed" in caplog.text and "words of somebody" not in caplog.text
            if not isinstance(came, Bug) and not is_logged:
                wrong.append(f"{Path(code.co_filename).name}:{code.co_firstlineno} {code.co_qualname}: {came!r:.80}")
    return len(tried), wrong


def test_of_a_transcript(caplog: pytest.LogCaptureFixture) -> None:
    count, wrong = survivors(transcript_works(), caplog)

    assert wrong == []
    assert count > 150


def test_of_files_beside_a_recording(tmp_path: Path, settings: Settings, caplog: pytest.LogCaptureFixture) -> None:
    settings.SPOOL_DIR = str(tmp_path)

    count, wrong = survivors(import_works(tmp_path), caplog)

    assert wrong == []
    assert count > 120


@pytest.mark.parametrize("error", [TypeError, KeyError, RecursionError, OSError])
def test_in_the_process_with_limits(error: type[Exception], caplog: pytest.LogCaptureFixture) -> None:
    def work() -> Any:
        raise error("words of somebody")

    with caplog.at_level(logging.ERROR), raises_error(InspectionFailed, "import.failed", error=error.__name__):
        run_bounded(work)

    (line,) = caplog.messages
    assert f"'error': '{error.__name__}'" in line
    assert "tests/test_intake_bugs.py:" in line
    assert "words of somebody" not in line
