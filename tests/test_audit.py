"""`make audit` passes only if every lock file was looked up and nothing was reported."""

import subprocess
from pathlib import Path

import pytest

from tests.support.processes import ROOT

UNREACHABLE = "requests.exceptions.ConnectionError: Failed to resolve the host"

LOCKS = ("dev", "node", "audit", "third-party")


def audit(folder: Path, pip_audit: str, npm: str = "exit 0") -> subprocess.CompletedProcess[str]:
    """The script, with shell scripts in place of pip-audit and of the Python that runs npm."""
    for name, script in (("pip-audit", pip_audit), ("python", npm)):
        (folder / name).write_text(f"#!/bin/sh\n{script}\n")
        (folder / name).chmod(0o755)
    command = [ROOT / ".ci/audit", folder / "pip-audit", folder / "python"]
    return subprocess.run(command, text=True, capture_output=True, check=False)


def test_without_advisories_it_passes(tmp_path: Path) -> None:
    done = audit(tmp_path, f'echo "$@" >> {tmp_path}/asked', f'echo "$@" >> {tmp_path}/asked')

    assert (done.returncode, done.stdout) == (0, "no advisory about the locked packages\n")
    asked = (tmp_path / "asked").read_text().splitlines()
    assert [line.split()[-1] for line in asked[:4]] == [f"requirements/{name}.txt" for name in LOCKS]
    assert all("--vulnerability-service osv --strict" in line for line in asked[:4])
    assert asked[4:] == ["-m embedded.node audit --package-lock-only"]


@pytest.mark.parametrize(
    ("pip_audit", "npm", "message"),
    [
        ("echo 'jinja2 3.0.0 PYSEC-1'; exit 1", "exit 0", "jinja2 3.0.0 PYSEC-1\n"),
        ("exit 0", "echo 'uppy: high'; exit 1", "uppy: high\n"),
        (
            f"echo '{UNREACHABLE}'; exit 1",
            "exit 0",
            f"requirements/dev.txt: no advisory data could be reached, so nothing was audited: {UNREACHABLE}\n",
        ),
        (
            "exit 0",
            "echo 'npm error audit endpoint returned an error'; exit 1",
            "package-lock.json: no advisory data could be "
            "reached, so nothing was audited: npm error audit endpoint returned an error\n",
        ),
    ],
    ids=["advisory in Python", "advisory in npm", "no data for Python", "no data for npm"],
)
def test_otherwise_it_fails_and_says_why(tmp_path: Path, pip_audit: str, npm: str, message: str) -> None:
    done = audit(tmp_path, pip_audit, npm)

    assert (done.returncode, done.stdout) == (1, "")
    assert message in done.stderr
