"""Load a model, and find out whether it can work: `python -I try_model.py FOLDER THREADS LANGUAGE`.

A process of its own, started by self_test.py: the memory of a model is gigabytes, and one that starts threads must not
fork. LANGUAGE is Whisper's code, or empty. Ends with a traceback if something does not work.
"""

import sys

import numpy as np
from faster_whisper import WhisperModel
from faster_whisper.vad import get_speech_timestamps


def main(folder: str, threads: str, language: str) -> None:
    model = WhisperModel(folder, device="cpu", compute_type="int8", cpu_threads=int(threads), local_files_only=True)
    if language and language not in model.supported_languages:
        raise ValueError(f"the model does not know the language {language}")
    get_speech_timestamps(np.zeros(16_000, np.float32))  # a second, for the voice detector


if __name__ == "__main__":
    main(*sys.argv[1:])
