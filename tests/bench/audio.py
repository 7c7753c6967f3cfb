"""Analyzing a long recording: memory of all processes together, and time compared with decoding alone.

BENCH_AUDIO_HOURS: its length (6). BENCH_AUDIO_ROUNDS: how often each side is timed (3). The quickest counts, because
other load on the machine only ever adds time.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from tests.bench import Figure, at_most
from tests.support.audio_files import make_repeated
from tests.support.engine_settings import UNREACHABLE_ENGINES
from tests.support.procfs import process_tree

ROOT = Path(__file__).parent.parent.parent
HOURS = float(os.environ.get("BENCH_AUDIO_HOURS", "6"))
ROUNDS = int(os.environ.get("BENCH_AUDIO_ROUNDS", "3"))

# The process loads what a worker loads, but connects to nothing.
ENVIRONMENT = UNREACHABLE_ENGINES | {
    "PATH": os.defpath,
    "DJANGO_SETTINGS_MODULE": "portal.settings",
    "SECRET_KEY": "none",
    "CERTIFICATE_KEY": "b25seSBmb3IgdGVzdHM6IDMyIGJ5dGVzIG9mIHNlZWQ=",
    "SITE_URL": "http://127.0.0.1",
}
ANALYZE = """
import sys, time
from pathlib import Path
import django
django.setup()
import portal.celery, archive.tasks
from archive.intake.audio.measure import measure
start = time.perf_counter()
measure(Path(sys.argv[1]), longest_seconds=86400, step=lambda seconds: None)
print(time.perf_counter() - start)
"""
DECODE = """
import sys, time, av
start = time.perf_counter()
with av.open(sys.argv[1]) as container:
    for frame in container.decode(audio=0):
        pass
print(time.perf_counter() - start)
"""


def figures() -> Iterator[Figure]:
    with tempfile.TemporaryDirectory() as folder:
        path = make_repeated(Path(folder) / "long.m4a", ROOT / "archive/demo/recording.m4a", HOURS * 3600)
        yield at_most("audio memory", peak_mebibytes(path), "MiB", 300)
        analyzed, decoded = [], []
        for _ in range(ROUNDS):
            decoded.append(seconds(DECODE, path))
            analyzed.append(seconds(ANALYZE, path))
        yield at_most("audio time", round(min(analyzed) / min(decoded), 3), "x decode", 1.3)


def _process(program: str, path: Path) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", program, str(path)]
    return subprocess.Popen(command, cwd=ROOT, env=ENVIRONMENT, stdout=subprocess.PIPE, text=True)


def seconds(program: str, path: Path) -> float:
    with _process(program, path) as process:
        output, _ = process.communicate()
    assert process.returncode == 0
    return float(output)


def peak_mebibytes(path: Path) -> float:
    """Return the peak memory of the process and its descendants: the proportional set size, which counts shared memory
    once."""
    peak = 0
    with _process(ANALYZE, path) as process:
        while process.poll() is None:
            peak = max(peak, sum(_pss(pid) for pid in process_tree(process.pid)))
            time.sleep(0.1)
    assert process.returncode == 0
    return round(peak / 1024**2, 1)


def _pss(pid: int) -> int:
    """Return bytes; 0 for a process that has ended."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))
