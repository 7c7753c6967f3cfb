"""The lock files: the tested versions are installed, on every Python."""

import re
from collections import Counter
from pathlib import Path

import pytest

REQUIREMENTS = Path(__file__).parent.parent / "requirements"
LOCKS = sorted(path.name for path in REQUIREMENTS.glob("*.txt"))


def versions(name: str) -> list[str]:
    """Return the package of each `package==version` line."""
    text = (REQUIREMENTS / name).read_text()
    return re.findall(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==", text, re.MULTILINE)


def test_lock_files_exist() -> None:
    names = ("audit", "base", "dev", "embedded", "node", "sample", "third-party", "transcription")
    assert {f"{name}.txt" for name in names} <= set(LOCKS)
    assert "av" in versions("base.txt")


@pytest.mark.parametrize("name", LOCKS)
def test_a_package_has_one_version_for_all_pythons(name: str) -> None:
    """Code that was tested with one release of PyAV must not run with another one on a newer Python."""
    counts = Counter(versions(name))

    assert counts
    assert [package for package, count in counts.items() if count > 1] == []


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_file_names_no_download_address(name: str) -> None:
    assert "://" not in (REQUIREMENTS / name).read_text()
