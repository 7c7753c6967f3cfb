"""Keys may come from a file or from a program that prints them. Each failure is one line without the key."""

import os
import shlex
import subprocess
import sys
import time
from pathlib import Path

import pytest
from pytest_django import Settings

from portal import env, secret_sources
from portal.checks import private_keys, private_keys_of_web
from portal.secret_sources import is_open_to_others
from tests.support.processes import ROOT

KEY = "c2lnbnMgdGhlIGxvZyBpbiB0ZXN0cyBvbmx5ICAgICA="
START = "from portal import wsgi; print('started')"


@pytest.fixture(autouse=True)
def problems(monkeypatch: pytest.MonkeyPatch) -> list[env.Problem]:
    monkeypatch.setattr(env, "problems", [])
    monkeypatch.setattr(env, "warnings", [])
    for name in ("LOG_KEY", "CERTIFICATE_KEY"):
        monkeypatch.delenv(name, raising=False)
    return env.problems


def python(code: str) -> str:
    return shlex.join([sys.executable, "-c", code])


def read() -> bytes:
    return env.optional_seed("LOG_KEY", id="x", hint="Make one.")


def test_a_command_prints_the_key(monkeypatch: pytest.MonkeyPatch, problems: list[env.Problem]) -> None:
    monkeypatch.setenv("LOG_KEY_FILE", "/nowhere")
    monkeypatch.setenv("LOG_KEY_COMMAND", python(f"print('{KEY}')"))

    assert read() == b"signs the log in tests only     "
    assert problems == []


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (python(f"import sys; print('{KEY}'); sys.exit('{KEY}')"), "failed with exit status 1."),
        (python("import os; os.kill(os.getpid(), 15)"), "failed with signal SIGTERM."),
        (python("pass"), "printed no text."),
        (python("import sys; sys.stdout.buffer.write(bytes([255, 254]))"), "printed no text."),
        (python("print('x' * 70_000)"), "printed more than 64 KiB."),
        ("/nowhere/vault read", "can't be started: No such file or directory."),
        (str(ROOT), "can't be started: Permission denied."),
        ("vault 'read", "can't be read as a command: a quotation mark is not closed."),
    ],
)
def test_a_command_that_fails_is_one_problem_without_the_key(
    command: str, message: str, monkeypatch: pytest.MonkeyPatch, problems: list[env.Problem]
) -> None:
    monkeypatch.setenv("LOG_KEY_COMMAND", command)

    assert read() == b""
    (problem,) = problems
    assert (problem.id, problem.message) == ("spacekeep.E145", f"LOG_KEY_COMMAND {message}")
    assert problem.hint.endswith(".")
    assert KEY not in problem.message + problem.hint


def test_a_command_must_print_a_key(monkeypatch: pytest.MonkeyPatch, problems: list[env.Problem]) -> None:
    monkeypatch.setenv("LOG_KEY_COMMAND", python("print('hunter2')"))

    assert read() == b""
    assert problems == [env.Problem("x", "LOG_KEY is not 32 bytes in base64.", "Make one.")]


def test_a_command_that_hangs_is_ended_with_its_children(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, problems: list[env.Problem]
) -> None:
    """The command's child keeps the pipe open."""
    file = tmp_path / "pid"
    monkeypatch.setattr(secret_sources, "COMMAND_SECONDS", 1)
    monkeypatch.setenv("LOG_KEY_COMMAND", f"/bin/sh -c 'sleep 500 & echo $! > {file}; wait'")

    assert read() == b""
    assert [problem.message for problem in problems] == ["LOG_KEY_COMMAND did not end within 1 seconds."]
    pid = int(file.read_text())
    while Path(f"/proc/{pid}/stat").exists() and Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z":
        time.sleep(0.01)


def test_a_command_is_not_run_where_its_key_is_not_needed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(env, "PROCESS", "worker")
    monkeypatch.setenv("LOG_KEY_COMMAND", f"touch {tmp_path / 'run'}")

    assert read() == b""
    assert not (tmp_path / "run").exists()


def test_a_key_that_everybody_can_read_is_a_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "key"
    file.write_text(KEY)
    monkeypatch.setattr("portal.secret_sources.is_open_to_others", lambda path: path == file)
    monkeypatch.setenv("LOG_KEY_FILE", str(file))
    monkeypatch.setenv("LOG_PUBLIC_KEYS_FILE", str(file))

    assert read() == b"signs the log in tests only     "
    assert len(env.keys("LOG_PUBLIC_KEYS", id="x", hint="")) == 1

    (warning,) = env.warnings  # only one warning: a public key may be readable
    assert (warning.id, warning.message) == (
        "spacekeep.W130", "LOG_KEY_FILE can be read by every user of this machine.",
    )  # fmt: skip
    assert f"chmod 600 {file}" in warning.hint


def test_a_file_is_open_to_others_if_its_folders_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, file = tmp_path / "folder", tmp_path / "folder" / "key"
    folder.mkdir(mode=0o755)
    file.write_text(KEY)
    file.chmod(0o644)
    opened = [parent for parent in tmp_path.resolve().parents if not parent.stat().st_mode & 0o001]
    opened = [*opened, *([tmp_path] if not tmp_path.stat().st_mode & 0o001 else [])]
    modes = {parent: parent.stat().st_mode for parent in opened}
    assert is_open_to_others(file) == (not opened)
    try:
        for parent in opened:
            parent.chmod(0o755)
        assert is_open_to_others(file)
        folder.chmod(0o700)
        assert not is_open_to_others(file)
        folder.chmod(0o755)
        file.chmod(0o640)
        assert not is_open_to_others(file)
        file.chmod(0o444)
        monkeypatch.setattr(secret_sources, "MOUNTED", folder.resolve())
        assert not is_open_to_others(file)
    finally:
        for parent, mode in modes.items():
            parent.chmod(mode)


@pytest.mark.parametrize("source", ["LOG_KEY", "LOG_KEY_FILE", "LOG_KEY_COMMAND", "CERTIFICATE_KEY"])
def test_only_the_deleter_may_have_a_key_that_signs(
    source: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "key").write_text(KEY)
    monkeypatch.setenv(source, str(tmp_path / "key") if source.endswith("_FILE") else "true")

    for process in ("web", "health", "worker", "transcriber", "beat", "setup"):
        monkeypatch.setattr(env, "PROCESS", process)
        (error,) = private_keys(None)
        assert (error.id, error.msg) == ("spacekeep.E146", f"{source} gives the {process} process a key that signs.")
    monkeypatch.setattr(env, "PROCESS", "deleter")
    assert private_keys(None) == []


def test_a_file_that_the_process_can_not_read_is_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOG_KEY_FILE", "/run/secrets/log_key")  # mounted only for the deleter
    monkeypatch.setattr(env, "PROCESS", "web")

    assert private_keys(None) == []


def start_web(**variables: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "LOG_KEY": KEY, "CERTIFICATE_KEY": KEY, **variables}
    command = [sys.executable, "-c", START]
    return subprocess.run(command, env=environment, cwd=ROOT, text=True, capture_output=True, check=False)


def test_a_web_process_of_production_does_not_start_with_a_key_that_signs() -> None:
    done = start_web(SITE_URL="https://spaces.example.org", PROCESS="")

    assert (done.returncode, done.stdout) == (3, "")
    assert "spacekeep.E146: LOG_KEY gives the web process a key that signs. Take LOG_KEY away" in done.stderr
    assert "spacekeep.E146: CERTIFICATE_KEY gives the web process" in done.stderr
    assert KEY not in done.stderr


def test_on_a_site_for_trying_the_web_process_may_have_all_settings(settings: Settings) -> None:
    settings.SITE_URL = "http://127.0.0.1:8000"
    assert private_keys_of_web() == []
