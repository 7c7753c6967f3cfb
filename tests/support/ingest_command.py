"""Run `manage.py ingest` in this process."""

from collections.abc import Callable

import pytest
from django.core.management import execute_from_command_line

# Takes arguments, returns (exit status, standard output, standard error).
Run = Callable[..., tuple[int | str | None, str, str]]


def make_runner(capsys: pytest.CaptureFixture[str], *options: str) -> Run:
    """Return a function that runs the command with its arguments and, after them, `options`."""

    def run(*arguments: str) -> tuple[int | str | None, str, str]:
        status: int | str | None = 0
        try:
            execute_from_command_line(["manage.py", "ingest", *arguments, *options])
        except SystemExit as end:
            status = end.code
        return status, *capsys.readouterr()

    return run
