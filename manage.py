#!/usr/bin/env python3
"""Run Django's commands, with the settings of `make run` if no others are configured."""

import fcntl
import importlib.util
import os
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
# These need no engine, so they run before anything is configured.
WITHOUT_ENGINES = {"help", "version", "check", "makemigrations", "collectstatic"}


def use_own_environment() -> None:
    """Restart with .venv's Python if this Python has no Django."""
    python = HERE / ".venv" / "bin" / "python"
    if importlib.util.find_spec("django") is None and python.exists() and Path(sys.prefix) != HERE / ".venv":
        os.execv(python, [str(python), *sys.argv])


def configure(command: str) -> str | None:
    """Fill os.environ from .data/env unless DATABASE_URL is set. Returns what the command lacks, or None."""
    if {"DATABASE_URL", "DATABASE_URL_FILE"} & set(os.environ):
        return None
    data = HERE / ".data"
    configured = (data / "env").exists()
    if configured:
        from embedded import envfile

        for name, value in envfile.read(data / "env").items():
            os.environ.setdefault(name, value)
    if command in WITHOUT_ENGINES or {"-h", "--help", "--version"} & set(sys.argv):
        return None
    if not configured:
        return "no settings: start `make run` elsewhere, or set DATABASE_URL and others (systemd: spacekeep-manage)"
    return None if is_running(data / "run.lock") else "the engines are down: start `make run` in another terminal"


def is_running(lock: Path) -> bool:
    """Whether a `make run` of this clone holds its lock."""
    with lock.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return True
        return False


def main() -> None:
    use_own_environment()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
    missing = configure(sys.argv[1] if len(sys.argv) > 1 else "help")
    if missing:
        sys.exit(f"manage.py: {missing}")
    from archive.management.overview import Utility

    Utility(sys.argv).execute()


if __name__ == "__main__":
    main()
