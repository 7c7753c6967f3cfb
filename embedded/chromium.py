"""Start the headless Chromium of an npm package for the browser tests, with its own libraries and fonts.

    with chromium.browser() as browser:
        page = browser.new_page()

The font is Open Sans: it has Latin, Greek and Cyrillic letters, but no arrows, check marks or emoji.
"""

import contextlib
import fcntl
import json
import os
import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from playwright.sync_api import Browser, sync_playwright

from embedded import node
from embedded.place import NODE_MODULES

PACKAGE = NODE_MODULES / "@sparticuz" / "chromium"
ARGUMENTS = (
    "--no-sandbox",  # the sandbox needs privileges that neither root in a container nor an ordinary user has
    "--no-zygote",
    "--disable-gpu",
    "--font-render-hinting=none",
    "--autoplay-policy=no-user-gesture-required",
)
# The only fonts are those of the package, so that every page looks the same on every machine.
FONTS = """<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig><dir prefix="relative">fonts</dir><cachedir>{cache}</cachedir></fontconfig>
"""
UNBROTLI = """
const [from, to] = process.argv.slice(1), fs = require("node:fs"), zlib = require("node:zlib");
require("node:stream/promises").pipeline(
  fs.createReadStream(from), zlib.createBrotliDecompress(), fs.createWriteStream(to));
"""


class ChromiumMissing(Exception):
    """Chromium is not available here. The message says what to do."""


@contextlib.contextmanager
def browser() -> Iterator[Browser]:
    """Start Chromium, unpacked before its first start (about 3 s), and yield it. Raises ChromiumMissing."""
    # Playwright's own Node needs libatomic, which a plain Debian does not have. Ours does not need it.
    os.environ.setdefault("PLAYWRIGHT_NODEJS_PATH", str(node.find()[0]))
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(**launch_options())
        try:
            yield running
        finally:
            running.close()


def launch_options() -> dict[str, Any]:
    """Return the keyword arguments for `chromium.launch` of Playwright, for callers that do not use `browser()`."""
    own = os.environ.get("SPACEKEEP_CHROMIUM")
    if own:
        return {"executable_path": own, "args": list(ARGUMENTS)}
    folder = unpack()
    return {
        "executable_path": str(folder / "chromium"),
        "args": list(ARGUMENTS),
        "env": {
            **os.environ,
            "LD_LIBRARY_PATH": str(folder / "lib"),
            "FONTCONFIG_FILE": str(folder / "fonts.conf"),
        },
    }


def unpack() -> Path:
    """Unpack Chromium once per version. Return the folder with `chromium`, libraries, fonts. Raises ChromiumMissing."""
    if not PACKAGE.exists():
        raise ChromiumMissing("Chromium is not installed: run `make test`, or set SPACEKEEP_CHROMIUM to a program")
    if os.uname().sysname != "Linux" or os.uname().machine != "x86_64":
        raise ChromiumMissing("the package's Chromium is for Linux on x86-64: set SPACEKEEP_CHROMIUM to a program")
    version = json.loads((PACKAGE / "package.json").read_text())["version"]
    folder = NODE_MODULES / ".cache" / f"chromium-{version}"
    folder.parent.mkdir(exist_ok=True)
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two test runs may start at the same time
        if not folder.exists():
            fresh = folder.with_suffix(".new")
            shutil.rmtree(fresh, ignore_errors=True)
            _unpack_into(fresh)
            fresh.rename(folder)
    return folder


def _unpack_into(folder: Path) -> None:
    folder.mkdir()
    _unbrotli("chromium.br", folder / "chromium")
    (folder / "chromium").chmod(0o755)
    for name in ("fonts", "al2023", "swiftshader"):
        archive = folder / f"{name}.tar"
        _unbrotli(f"{name}.tar.br", archive)
        with tarfile.open(archive) as tar:
            # Python 3.11.2 of Debian 12 has no extraction filters. npm has checked the hash of the file.
            tar.extraction_filter = getattr(tarfile, "data_filter", lambda member, _: member)
            tar.extractall(folder)  # noqa: S202
        archive.unlink()
    (folder / "fonts.conf").write_text(FONTS.format(cache=escape(str(NODE_MODULES / ".cache" / "fonts"))))


def _unbrotli(name: str, target: Path) -> None:
    program, _ = node.find()
    command = [str(program), "-e", UNBROTLI, str(PACKAGE / "bin" / name), str(target)]
    subprocess.run(command, check=True, capture_output=True)
