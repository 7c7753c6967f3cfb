"""Collected static files: every import in a module names a hashed file that exists."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

ROOT = Path(__file__).parent.parent
HASHED = re.compile(r"\.[0-9a-f]{12}\.m?js$")
ENTRIES = (
    "portal/core/site.js",
    "portal/player/space-page.js",
    "portal/upload/page.js",
    "portal/moderation/evidence.js",
    "portal/moderation/rule-text.js",
    "portal/moderation/select-several.js",
)


@pytest.fixture(scope="module")
def collected(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return STATIC_ROOT after collectstatic, as in production."""
    folder = tmp_path_factory.mktemp("static")
    command = [sys.executable, "manage.py", "collectstatic", "--no-input", "--verbosity=0"]
    subprocess.run(command, cwd=ROOT, env={**os.environ, "STATIC_ROOT": str(folder)}, check=True, timeout=120)
    return folder


def manifest(collected: Path) -> dict[str, str]:
    paths: dict[str, str] = json.loads((collected / "staticfiles.json").read_text())["paths"]
    return paths


def parse_imports(folder: Path, entries: list[str], out: Path) -> dict[str, Any]:
    """Return the modules that `entries` import, as esbuild parses and resolves them; a missing module is an error."""
    esbuild = ROOT / "node_modules" / ".bin" / "esbuild"
    command = [str(esbuild), *entries, "--bundle", "--format=esm", "--splitting", f"--outdir={out}"]
    metafile = out / "meta.json"
    subprocess.run([*command, f"--metafile={metafile}", "--log-level=error"], cwd=folder, check=True, timeout=60)
    inputs: dict[str, Any] = json.loads(metafile.read_text())["inputs"]
    return inputs


def test_each_import_names_a_hashed_file_that_exists(collected: Path, tmp_path: Path) -> None:
    paths = manifest(collected)
    ours = [hashed for name, hashed in paths.items() if re.match(r"(archive|portal)/.*\.js$", name)]

    modules = parse_imports(collected, ours, tmp_path)

    imports = [(path, each) for path, module in modules.items() for each in module["imports"]]
    assert [(path, each["original"]) for path, each in imports if not HASHED.search(each["original"])] == []
    assert set(modules) <= set(paths.values())
    reached = set(parse_imports(collected, [paths[name] for name in ENTRIES], tmp_path))
    assert {paths[f"{prefix}/{name}"] for prefix, (_, names) in settings.VENDOR_FILES.items() for name in names} - {
        paths["htmx/htmx.min.js"]  # a classic script, named in templates
    } <= reached
    assert len(reached) >= 30


def test_vendored_files_are_served_unchanged(collected: Path) -> None:
    paths = manifest(collected)

    for prefix, (folder, names) in settings.VENDOR_FILES.items():
        for name in names:
            vendored = (settings.NODE_MODULES / folder / name).read_bytes()
            assert (collected / paths[f"{prefix}/{name}"]).read_bytes() == vendored


def test_our_files_are_small_and_the_styles_of_every_page_are_one(collected: Path) -> None:
    paths = manifest(collected)

    styles = (collected / paths["portal/core/site.css"]).read_text()
    assert "@import" not in styles
    assert all(name in styles for name in ("--voice-0:", ".skip", ".button", ".clock-line", ".back", ".search-box"))
    script = (collected / paths["portal/core/site.js"]).read_text()
    assert "//" not in script.replace("://", "")
    assert (len(styles), len(script)) < (40_000, 6_000)


def test_collecting_again_gives_the_same_names(collected: Path) -> None:
    before = manifest(collected)
    command = [sys.executable, "manage.py", "collectstatic", "--no-input", "--verbosity=0"]

    subprocess.run(command, cwd=ROOT, env={**os.environ, "STATIC_ROOT": str(collected)}, check=True, timeout=120)

    assert manifest(collected) == before
