"""An interrupted or killed test run leaves no engine, web process, worker or browser running."""

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from embedded.process import Facts, Process, facts, family
from tests.support.processes import ROOT
from tests.support.procfs import read_words
from tests.support.waiting import wait_until

SECONDS = 250  # longer than any machine takes to start everything


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "ready").mkdir()
    (tmp_path / "tmp").mkdir()
    return tmp_path


@pytest.fixture
def run(folder: Path) -> Iterator[Process]:
    """A run of pytest that was not started yet. The fixture kills it in the end."""
    process = Process("pytest", folder / "log")
    yield process
    process.kill()


def begin(run: Process, folder: Path, processes: int) -> dict[int, Facts]:
    """Start the run with `processes` for xdist. Returns all of its processes once its tests sleep."""
    options = ["-n", str(processes), "-p", "no:cacheprovider", "-p", "no:randomly"]
    command = [sys.executable, "-m", "pytest", *options, "tests/support/sleeping_tests.py"]
    ours = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    env = {**ours, "SLEEPERS": str(folder / "ready"), "TMPDIR": str(folder / "tmp")}
    run.spawn(command, cwd=ROOT, env=env, death_signal=signal.SIGKILL)
    wait_until(
        lambda: len(list((folder / "ready").iterdir())) == max(processes, 1) or not run.running, "all run", SECONDS
    )
    assert run.running, run.log.read_text()
    assert run.pid is not None
    return family(run.pid)


def alive(processes: dict[int, Facts]) -> list[str]:
    """Return the commands of the processes that still run."""
    return [command(pid) for pid, seen in processes.items() if (now := facts(pid)) and now.started == seen.started]


def marked(folder: Path) -> dict[int, list[str]]:
    """Return every process on this machine whose environment names the folder."""
    environments = {int(entry.name): read_words(int(entry.name), "environ") for entry in Path("/proc").glob("[0-9]*")}
    return {
        pid: read_words(pid, "cmdline") for pid, env in environments.items() if f"SLEEPERS={folder / 'ready'}" in env
    }


def command(pid: int) -> str:
    return " ".join(read_words(pid, "cmdline"))


def interrupt(run: Process, folder: Path, below: dict[int, Facts], number: signal.Signals) -> None:
    """Send the signal, and assert that no process of the run remains."""
    assert run.pid is not None
    os.kill(run.pid, number)

    wait_until(lambda: not run.running, "the run ends", SECONDS)
    wait_until(lambda: not alive(below) and not marked(folder), "no process remains", SECONDS)
    if number != signal.SIGKILL:
        assert run.exit_status == pytest.ExitCode.INTERRUPTED
        assert list((folder / "tmp").glob("spacekeep-*")) == []


@pytest.mark.long
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
@pytest.mark.parametrize("processes", [2, 0])
def test_no_process_is_left(run: Process, folder: Path, processes: int, number: signal.Signals) -> None:
    """Runs with xdist's controller and without it. Each case has to start everything."""
    below = begin(run, folder, processes)
    assert_runs(below, "postgres", "valkey", "weed", "gunicorn", "celery", "chromium")

    interrupt(run, folder, below, number)


def assert_runs(processes: dict[int, Facts], *names: str) -> None:
    commands = "\n".join(command(pid) for pid in processes)
    assert [name for name in names if name not in commands] == []
