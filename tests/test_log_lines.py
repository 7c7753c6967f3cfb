"""With the commands of production, each line that a process writes is JSON until the process ends."""

import json
import logging
import os
import signal
import sys
import threading
from typing import Any

import pytest
import yaml

from embedded.process import Process
from portal import log_lines
from tests.image import _dockerfile
from tests.support.processes import ROOT, Services, free_port, manage
from tests.support.waiting import answers, wait_until

COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
FIELDS = {"event", "level", "logger", "timestamp"}


def start(services: Services, name: str, port: int) -> Process:
    """Start a service on this machine with the command of the image, or that of docker-compose.yml."""
    command: list[str] = COMPOSE[name].get("command") or _dockerfile.command()
    replaced = [part.replace("0.0.0.0:8000", f"127.0.0.1:{port}") for part in command]
    here = [part.replace("/tmp/", f"{services.folder}/") for part in replaced]  # noqa: S108
    return services.start(name, "-m", *here, METRICS_PORT="0")


def read_lines(text: str) -> list[dict[str, Any]]:
    lines = []
    for line in text.splitlines():
        try:
            lines.append(json.loads(line))
        except ValueError:
            pytest.fail(f"no JSON: {line!r}")
    return lines


@pytest.mark.usefixtures("committed")
def test_every_line_of_every_process_is_json(services: Services) -> None:
    port = free_port()
    processes = {name: start(services, name, port) for name in ("web", "worker", "beat")}
    wait_until(lambda: answers(f"http://127.0.0.1:{port}/healthz"), "web answers")
    wait_until(lambda: " ready." in processes["worker"].log.read_text(), "the worker is ready")
    wait_until(lambda: "beat: Starting" in processes["beat"].log.read_text(), "beat runs")

    pid = processes["worker"].pid
    assert pid
    os.kill(pid, signal.SIGUSR1)  # Celery prints the stacks of all threads
    wait_until(lambda: "MainThread" in processes["worker"].log.read_text(), "the worker says what it does")
    for process in processes.values():
        process.ask_to_stop(signal.SIGTERM)
    for name, process in processes.items():
        assert process.wait(60), f"{name} did not end"

    events = {}
    for name, process in processes.items():
        lines = read_lines(process.log.read_text())
        assert all(line.keys() >= FIELDS for line in lines), lines
        events[name] = [line["event"] for line in lines]
    assert "worker: Warm shutdown (MainProcess)" in events["worker"]
    assert all(events.values())


@pytest.mark.usefixtures("committed")
def test_every_line_of_the_set_up_is_json(services: Services) -> None:
    """Commands that run before the processes write into the same logs."""
    commands = COMPOSE["prepare"]["command"][-1].split(" && ")
    for command in commands:
        done = manage(services, *command.split()[2:])
        assert len(read_lines(done.stdout)) == 1, done.stdout
        read_lines(done.stderr)


def test_lines_are_counted_once_however_often_logging_is_configured() -> None:
    """Settings do it, and so do Celery's signals."""
    made = [log_lines.logging_config()["filters"]["new_failures"]["()"]() for _ in range(2)]
    logger = logging.Logger("task")
    for each in made:
        logger.addFilter(each)

    assert len(logger.filters) == 1


def test_errors_that_nobody_catches_are_lines(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    monkeypatch.setattr(threading, "excepthook", threading.excepthook)
    log_lines.log_what_escapes()
    logging.captureWarnings(False)
    try:
        int("x")
    except ValueError as error:
        sys.excepthook(ValueError, error, error.__traceback__)
    thread = threading.Thread(target=int, args=("y",), name="metrics")
    thread.start()
    thread.join()

    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
        ("CRITICAL", "process_failed"),
        ("ERROR", "thread_failed"),
    ]
    assert all(record.exc_info for record in caplog.records)
