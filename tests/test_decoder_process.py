"""However the decoder process fails, the caller gets an error with a message, and continues."""

import json
import logging
import os
import signal
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest
from pytest_django import Settings

from archive.errors import DecoderDied, DecoderFailed, Unreadable
from archive.intake.audio import measure as audio_measure
from archive.intake.audio import sandbox
from tests.support.audio_files import make_silence, make_tone
from tests.support.errors import raises_error
from tests.support.hostile_files import make_sparse_wav
from tests.support.procfs import children, decoder_pid

READY = 'os.write(says, b\'{"guards": ["limits", "network", "paths"]}\\n\')'
BROKE_OFF = "audio.decoder_broke_off"


@pytest.fixture
def talk(tmp_path: Path) -> Path:
    return make_tone(tmp_path / "talk.wav", "wav")


def measure(path: Path, longest_seconds: int = 86_400) -> audio_measure.AudioFacts:
    return audio_measure.measure(path, longest_seconds=longest_seconds, step=lambda seconds: None).measured


class Impostor:
    """Another program in place of the decoder, as if a file had taken it over."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.patch = monkeypatch

    def says(self, program: str) -> None:
        def command(order: dict[str, object], says: int, *rest: object) -> list[str]:
            return [sys.executable, "-c", f"import os, time, signal\nsays = {says}\n{program}"]

        self.patch.setattr(sandbox, "_build_command", command)


@pytest.fixture
def impostor(monkeypatch: pytest.MonkeyPatch) -> Impostor:
    return Impostor(monkeypatch)


def refused(path: Path, error_type: type[Unreadable] = Unreadable) -> str:
    before = children()
    with pytest.raises(error_type) as error:
        measure(path)
    assert children() == before
    assert error.value.params["file"] == "talk.wav"
    return error.value.code


def failed(path: Path) -> str:
    """Return the message of the error for a broken decoder, which does not blame the recording."""
    before = children()
    with pytest.raises(DecoderFailed) as error:
        measure(path)
    assert children() == before
    return str(error.value.params["error"])


@pytest.mark.parametrize(
    "program",
    [
        "os.write(says, b'\\x00\\xff rubbish\\n')",
        "os.write(says, b'[1]\\n')",
        "os.write(says, b'[' * 50_000)",
        "while True: os.write(says, b'{\"heard\": 1.0}' * 1000)",
        "while True: os.write(says, b'{\"heard\": 1.0}\\n' * 1000)",
        f"{READY}; os.kill(os.getpid(), signal.SIGSEGV)",
        f"{READY}; os.kill(os.getpid(), signal.SIGABRT)",
        "os.write(says, b'{\"heard\": 60.0}\\n'); os._exit(3)",
        READY,
        'os.write(says, b\'{"measured": {}, "peaks": {}, "access_copy": true}\\n\')',
        "os.write(says, b'{\"measured\": null}\\n')",
    ],
    ids=["bytes", "a list", "deep", "a long line", "many lines", "crash", "abort", "exit", "silence", "empty", "null"],
)
def test_invalid_output_is_refused(talk: Path, impostor: Impostor, program: str) -> None:
    impostor.says(program)

    assert refused(talk, DecoderDied) == BROKE_OFF


@pytest.mark.parametrize(
    "program",
    [
        'os.write(says, b\'{"refused": "No, thanks.", "params": {}}\\n\')',
        'os.write(says, b\'{"refused": "space.not_found", "params": {"space": "1"}}\\n\')',
        'os.write(says, b\'{"refused": "audio.silent", "params": {}}\\n\')',
        'os.write(says, b\'{"refused": "audio.bad_sample_rate", "params": {"rate": "fast"}}\\n\')',
    ],
    ids=["no code", "another area's code", "no parameters", "a parameter of another kind"],
)
def test_an_unknown_refusal_is_our_own_fault(talk: Path, impostor: Impostor, program: str) -> None:
    impostor.says(program)

    assert failed(talk) == "it refused for a reason that is not known"


HONEST = {
    "extension": "wav", "content_type": "audio/wav", "codec": "pcm_s16le", "sample_rate": 48000, "channels": 1,
}  # fmt: skip


def answer(samples: int, measured: object, reason: object = "", notes: Iterable[object] = ()) -> str:
    told = {"measured": measured, "access_copy": reason, "notes": list(notes), "chapters": []}
    line = json.dumps(told).encode()
    return f"os.write(1, bytes({samples}))\nos.write(says, {line!r})"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("extension", "html"),
        ("content_type", "text/html"),
        ("codec", "<script>"),
        ("codec", None),
        ("sample_rate", 0),
        ("sample_rate", 10**400),
        ("sample_rate", 48000.5),
        ("channels", True),
        ("channels", -1),
        ("more", 1),
    ],
)
def test_impossible_facts_are_our_fault(talk: Path, impostor: Impostor, name: str, value: object) -> None:
    impostor.says(answer(48_000, {**HONEST, name: value}))

    assert failed(talk).startswith("its answer makes no sense: ")


@pytest.mark.parametrize(
    ("reason", "notes"),
    [
        ("audio.copy_boredom", []),
        (True, []),
        ("", [{"code": "audio.overlaps", "params": {"seconds": "<b>"}}]),
        ("", [{"code": "space.not_found", "params": {"space": "1"}}]),
        ("", [{"code": "audio.overlaps", "params": {"seconds": 1}, "more": 1}]),
        ("", ["a note"]),
    ],
)
def test_impossible_notes_are_our_own_fault(
    talk: Path, impostor: Impostor, reason: object, notes: list[object]
) -> None:
    impostor.says(answer(48_000, HONEST, reason, notes))

    assert failed(talk).startswith("its answer makes no sense: ")


@pytest.mark.parametrize("count", [0, 1, 48_001])
def test_a_wrong_number_of_samples_is_refused(talk: Path, impostor: Impostor, count: int) -> None:
    impostor.says(answer(count, HONEST))

    assert refused(talk) == BROKE_OFF


def test_endless_samples_are_refused(talk: Path, impostor: Impostor) -> None:
    impostor.says("while True: os.write(1, bytes(65536))")

    with raises_error(Unreadable, "audio.too_long", file="talk.wav", limit=86_400):
        measure(talk)


def test_valid_output_is_accepted(talk: Path, impostor: Impostor) -> None:
    impostor.says(answer(48_000, HONEST, "audio.copy_gaps", [{"code": "audio.clock_jumps", "params": {}}]))

    assert measure(talk).duration_ms == 3000


def test_a_killed_decoder(tmp_path: Path) -> None:
    path = make_silence(tmp_path / "talk.wav", seconds=600)

    def kill(seconds: float) -> None:
        if seconds == 60:
            os.kill(decoder_pid(), signal.SIGKILL)

    with raises_error(Unreadable, "audio.decoder_killed", file="talk.wav"):
        audio_measure.measure(path, longest_seconds=86_400, step=kill)


def test_a_decoder_that_hangs(talk: Path, impostor: Impostor, settings: Settings) -> None:
    settings.DECODER_SECONDS = 1
    impostor.says("while True: time.sleep(0.1); os.write(says, b'{\"heard\": 1.0}\\n')")

    assert refused(talk) == "audio.too_slow"


def test_a_recording_that_takes_too_long(tmp_path: Path, settings: Settings) -> None:
    settings.DECODER_SECONDS = 1
    path = make_sparse_wav(tmp_path / "talk.wav", 24)

    assert refused(path) == "audio.too_slow"


def test_a_decoder_over_its_cpu_limit(talk: Path, impostor: Impostor) -> None:
    impostor.says(f"{READY}; os.kill(os.getpid(), signal.SIGXCPU)")

    assert refused(talk) == "audio.too_slow"


def test_the_caller_can_stop_the_decoder(tmp_path: Path) -> None:
    path, before = make_silence(tmp_path / "talk.wav", seconds=3600), children()

    def stop(seconds: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        audio_measure.measure(path, longest_seconds=86_400, step=stop)

    assert children() == before


def test_a_full_disk_is_not_the_recordings_fault(talk: Path, impostor: Impostor) -> None:
    impostor.says('os.write(says, b\'{"failed": "OSError", "errno": 28}\\n\')')

    with pytest.raises(OSError, match="No space left on device"):
        measure(talk)


@pytest.mark.parametrize(
    ("program", "status"),
    [
        ("import no_such_module", "1"),
        ("os.kill(os.getpid(), signal.SIGILL)", "-4"),
        ("os.kill(os.getpid(), signal.SIGKILL)", "-9"),
        ("", "0"),
    ],
    ids=["import", "illegal instruction", "killed", "nothing"],
)
def test_a_decoder_that_does_not_start_is_not_the_recordings_fault(
    talk: Path, impostor: Impostor, program: str, status: str
) -> None:
    impostor.says(program)

    with pytest.raises(DecoderFailed, match=rf"it does not start: exit status {status}\)"):
        measure(talk)


def test_the_decoder_gets_no_secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = make_silence(
        tmp_path / "long.wav", seconds=600
    )  # more than a pipe holds, so that the decoder is alive when it is first checked
    monkeypatch.setenv("S3_SECRET_ACCESS_KEY", "a secret")
    seen: list[bytes] = []

    def look(seconds: float) -> None:
        if not seen:
            seen.append(Path(f"/proc/{decoder_pid()}/environ").read_bytes())

    audio_measure.measure(path, longest_seconds=86_400, step=look)

    assert [words.split(b"=")[0] for words in seen[0].split(b"\0") if words] == [b"PATH", b"MALLOC_ARENA_MAX"]


def test_a_missing_sandbox_is_reported(talk: Path, impostor: Impostor, caplog: pytest.LogCaptureFixture) -> None:
    impostor.says('os.write(says, b\'{"guards": ["limits"]}\\n{"refused": "audio.too_much_memory", "params": {}}\\n\')')

    with caplog.at_level(logging.WARNING), pytest.raises(Unreadable):
        measure(talk)

    assert "decoder_unconfined" in caplog.text
    assert "['network', 'paths']" in caplog.text
