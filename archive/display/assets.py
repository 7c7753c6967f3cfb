"""The styles, scripts and icons embedded in the offline page, and a Content-Security-Policy that allows only these.

They are read from the archive's own files, not from STATIC_ROOT: every image and checkout has them, whether or not
static files were collected there. They are read once, so a process uses the same files until it ends.
"""

import hashlib
import re
from base64 import b64encode
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

TEMPLATE = "archive/bundle/offline_page.html"
ARCHIVE = Path(__file__).parent.parent
STYLES = ("tokens", "base", "components", "clock", "pages", "player")
SCRIPT = "display/offline-page.bundle.js"  # esbuild makes it from offline-page.js: see package.json


@dataclass(frozen=True)
class Assets:
    """Texts as they stand in the page."""

    style: str
    theme: str
    script: str
    icons: str
    favicon: str

    def policy(self, nonce: str) -> str:
        """Build the page's Content-Security-Policy: run only these inline scripts, load only media beside the page.

        `nonce` allows the style sheet that wavesurfer.js adds.
        """
        directives = {
            "default-src": "'none'",
            "script-src": " ".join(map(allowed, (self.theme, self.script))),
            "style-src": f"{allowed(self.style)} 'nonce-{nonce}'",
            "img-src": "data:",
            "media-src": "'self' file:",
            "connect-src": "'none'",
            "base-uri": "'none'",
            "form-action": "'none'",
        }
        return "; ".join(f"{name} {sources}" for name, sources in directives.items())


@cache
def assets() -> Assets:
    """Return the assets of this installation. Raises ImproperlyConfigured."""
    return load(ARCHIVE)


def load(archive: Path) -> Assets:
    """Load the assets below the folder `archive`.

    Raises ImproperlyConfigured if a file is missing, or contains text that can't be embedded in a page.
    """
    static = archive / "static" / "archive"
    style = _embeddable("style", "\n".join(_read(static / f"{name}.css") for name in STYLES))
    theme = _embeddable("script", _read(static / "core" / "theme-init.js"))
    script = _embeddable("script", _read(archive / SCRIPT))
    icons = _read(static / "icons.svg")
    favicon = "data:image/svg+xml;base64," + b64encode(_read(static / "favicon.svg").encode()).decode()
    return Assets(style, theme, script, icons, favicon)


def _read(file: Path) -> str:
    try:
        return file.read_bytes().decode()
    except FileNotFoundError:
        raise ImproperlyConfigured(f"The file {file} is missing. `npm run build` makes the script.") from None


def _embeddable(element: str, text: str) -> str:
    """Return `text` if it can be the content of a <style> or <script>, unchanged by the parser."""
    if re.search(rf"</{element}|<!--|\r|\0", text, re.IGNORECASE):
        raise ImproperlyConfigured(f"A {element} of the offline page has text that would end it.")
    return text


def allowed(text: str) -> str:
    """Return the CSP source expression of an inline style or script."""
    return f"'sha256-{b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
