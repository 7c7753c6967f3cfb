"""Headless Chromium for the browser tests, out of an npm package: nothing comes from the system, fonts neither.

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
    "--no-sandbox",  # its sandbox wants privileges that root in a container and an ordinary user lack alike
    "--no-zygote",
    "--disable-gpu",
    "--font-render-hinting=none",
    "--autoplay-policy=no-user-gesture-required",
)
# The package has one font family: every page looks the same on every machine.
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
    """The browser cannot be had here; the message says what to do."""


@contextlib.contextmanager
def browser() -> Iterator[Browser]:
    """A running browser. The first one of a version is unpacked first (some 3 s). Raises ChromiumMissing."""
    # Playwright's own Node wants libatomic, which a plain Debian does not have; ours wants nothing.
    os.environ.setdefault("PLAYWRIGHT_NODEJS_PATH", str(node.find()[0]))
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(**launch_options())
        try:
            yield running
        finally:
            running.close()


def launch_options() -> dict[str, Any]:
    """Keyword arguments for Playwright's `chromium.launch`, which it can also do without `browser()`."""
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
    """The folder with `chromium`, its libraries and fonts; made once for each version. Raises ChromiumMissing."""
    if not PACKAGE.exists():
        raise ChromiumMissing("Chromium is not installed: run `make test`, or set SPACEKEEP_CHROMIUM to a program")
    if os.uname().sysname != "Linux" or os.uname().machine != "x86_64":
        raise ChromiumMissing("the package's Chromium is for Linux on x86-64: set SPACEKEEP_CHROMIUM to a program")
    version = json.loads((PACKAGE / "package.json").read_text())["version"]
    folder = NODE_MODULES / ".cache" / f"chromium-{version}"
    folder.parent.mkdir(exist_ok=True)
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two test runs may begin together
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
            # Debian 12's Python 3.11.2 has no filters yet; npm has checked the file's hash.
            tar.extraction_filter = getattr(tarfile, "data_filter", lambda member, _: member)
            tar.extractall(folder)  # noqa: S202
        archive.unlink()
    (folder / "fonts.conf").write_text(FONTS.format(cache=escape(str(NODE_MODULES / ".cache" / "fonts"))))


def _unbrotli(name: str, target: Path) -> None:
    program, _ = node.find()
    command = [str(program), "-e", UNBROTLI, str(PACKAGE / "bin" / name), str(target)]
    subprocess.run(command, check=True, capture_output=True)
