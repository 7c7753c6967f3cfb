"""Load the model of automatic transcripts once, to find out whether it works at all.

A file that was copied half, a model of another format or a processor without its instructions would otherwise be
noticed at the first Space.
"""

import subprocess
import sys
from pathlib import Path

from django.conf import settings

from archive.intake.transcription.language_codes import whisper_code

PROGRAM = Path(__file__).with_name("try_model.py")
SECONDS = 600  # on a slow disk; the largest model has 3 GB


class ModelFailed(Exception):
    """The model can't be loaded. The text says why."""


def run() -> None:
    """Load it in a process of its own. Raises ModelFailed with the last line of what that said."""
    if not settings.TRANSCRIPTION_MODEL:
        return
    code = whisper_code(settings.TRANSCRIPTION_LANGUAGE) if settings.TRANSCRIPTION_LANGUAGE else ""
    command = [sys.executable, "-I", str(PROGRAM), settings.TRANSCRIPTION_MODEL, str(settings.TRANSCRIPTION_THREADS)]
    try:
        done = subprocess.run(
            [*command, code],
            env={"ORT_DISABLE_TELEMETRY": "1"},  # ONNX Runtime reads it when it is loaded. No secrets of ours
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise ModelFailed(f"it was not loaded in {SECONDS} s") from None
    if done.returncode:
        lines = done.stderr.strip().splitlines() or [f"the program ended with {done.returncode}"]
        raise ModelFailed(lines[-1])
