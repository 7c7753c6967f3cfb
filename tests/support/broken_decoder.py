"""Put a bug into the audio decoder: run the real process from a copy of its source with one line replaced."""

import shutil
from pathlib import Path

import pytest

from archive.intake.audio import sandbox

FILES = (
    "archive/__init__.py",
    "archive/errors.py",
    "archive/formatting.py",
    "archive/intake/__init__.py",
    "archive/intake/audio/__init__.py",
)
OPEN = 'metadata_errors="replace"'  # in decode.py, where every file is opened


def break_decoder(
    monkeypatch: pytest.MonkeyPatch, folder: Path, new: str, *, old: str = OPEN, file: str = "decode.py"
) -> None:
    """Replace `old` with `new` in `file`, for every decoder that starts before `monkeypatch` is undone."""
    copy = folder / "broken"
    for name in FILES:
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(sandbox.ROOT / name, copy / name)
    package = "archive/intake/audio/decoder"
    shutil.copytree(sandbox.ROOT / package, copy / package, ignore=shutil.ignore_patterns("__pycache__"))
    source = copy / package / file
    text = source.read_text()
    assert text.count(old) == 1, f"{old!r} is not once in {file}"
    source.write_text(text.replace(old, new))
    monkeypatch.setattr(sandbox, "ROOT", copy)
