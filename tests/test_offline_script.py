"""esbuild builds the script of the offline page from the same sources to the same bytes."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SCRIPT = Path("archive/display/offline-page.bundle.js")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """The files that the build needs, in another folder; node_modules is a link."""
    for name in ("archive/static", "embedded"):
        shutil.copytree(ROOT / name, tmp_path / name)
    for name in ("package.json", "archive/display/offline-page.js"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, tmp_path / name)
    (tmp_path / "node_modules").symlink_to(ROOT / "node_modules")
    return tmp_path


def build(checkout: Path) -> bytes:
    command = [sys.executable, "-m", "embedded.node", "run", "build", "--silent"]
    subprocess.run(command, cwd=checkout, check=True, timeout=60)
    return (checkout / SCRIPT).read_bytes()


def test_the_same_sources_give_the_same_bytes_everywhere(checkout: Path) -> None:
    first = build(checkout)

    assert build(checkout) == first
    assert (ROOT / SCRIPT).read_bytes() == first, "the script is out of date: run `make archive/display/*.bundle.js`"


def test_a_change_of_any_module_changes_it(checkout: Path) -> None:
    before = build(checkout)
    module = checkout / "archive/static/archive/core/announce.js"
    module.write_text(module.read_text().replace('getElementById("live")', 'getElementById("other")'))

    assert build(checkout) != before


@pytest.mark.parametrize(
    ("statement", "problem"),
    [
        (
            'import { nothing } from "./dom.js"; nothing();',
            'No matching export in "archive/static/archive/core/dom.js"',
        ),
        ('import "./missing.js";', 'Could not resolve "./missing.js"'),
    ],
)
def test_a_broken_import_fails_the_build(checkout: Path, statement: str, problem: str) -> None:
    module = checkout / "archive/static/archive/core/announce.js"
    module.write_text(f"{statement}\n{module.read_text()}")
    command = [sys.executable, "-m", "embedded.node", "run", "build", "--silent"]

    done = subprocess.run(command, cwd=checkout, check=False, timeout=60, capture_output=True, text=True)

    assert done.returncode != 0
    assert problem in done.stderr
