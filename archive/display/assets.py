"""The styles, scripts and icons embedded in the offline page, and a Content-Security-Policy that allows only these.

They are read from the archive's own files and not from STATIC_ROOT: every image and checkout has them, even without
collected static files, and web and worker must compute the same digest. They are read once, so a process uses the same
files until it ends.
"""

import hashlib
import re
from base64 import b64encode
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured
from django.template import Node, Template
from django.template.base import FilterExpression
from django.template.loader import get_template
from django.template.loader_tags import ExtendsNode, IncludeNode

TEMPLATE = "archive/bundle/offline_page.html"
DRAWN_BY_TAGS = ("archive/parts/icon.html",)  # by archive/templatetags/archive_display.py
ARCHIVE = Path(__file__).parent.parent
STYLES = ("tokens", "base", "components", "clock", "pages", "player")
SCRIPT = "display/offline-page.bundle.js"  # esbuild makes it from offline-page.js: see package.json


@dataclass(frozen=True)
class Assets:
    """Texts as embedded in the page. `digest` (hex) identifies them and the page's templates."""

    style: str
    theme: str
    script: str
    icons: str
    favicon: str
    digest: str

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
    parts = (style, theme, script, icons, favicon, *templates(TEMPLATE).values())
    digest = hashlib.sha256("\0".join(parts).encode()).hexdigest()
    return Assets(style, theme, script, icons, favicon, digest)


def _read(file: Path) -> str:
    try:
        return file.read_bytes().decode()
    except FileNotFoundError:
        raise ImproperlyConfigured(f"The file {file} is missing. `npm run build` makes the script.") from None


def templates(name: str) -> dict[str, str]:
    """Return the sources of the template and of all templates that it includes or that its tags draw, by name."""
    sources: dict[str, str] = {}
    pending = [name, *DRAWN_BY_TAGS]
    while pending:
        name = pending.pop()
        if name not in sources:
            template: Template = get_template(name).template  # type: ignore[attr-defined]  # of Django's own backend
            sources[name] = str(template.source)
            pending += [_included_name(node) for node in template.nodelist.get_nodes_by_type(IncludeNode)]
            if template.nodelist.get_nodes_by_type(ExtendsNode):
                raise ImproperlyConfigured(f"{name} extends another template, which the digest would not cover.")
    return dict(sorted(sources.items()))


def _included_name(node: Node) -> str:
    expression = getattr(node, "template", None)
    if not isinstance(expression, FilterExpression) or not isinstance(expression.var, str):
        raise ImproperlyConfigured(f"{expression} is not the literal name of a template.")
    return expression.var


def _embeddable(element: str, text: str) -> str:
    """Return `text` if it can be the content of a <style> or <script>, unchanged by the parser."""
    if re.search(rf"</{element}|<!--|\r|\0", text, re.IGNORECASE):
        raise ImproperlyConfigured(f"A {element} of the offline page has text that would end it.")
    return text


def allowed(text: str) -> str:
    """Return the CSP source expression of an inline style or script."""
    return f"'sha256-{b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
