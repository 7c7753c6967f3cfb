"""What the page in a bundle brings along: the portal's own styles, scripts and icons, all of them inside of it, and a
Content-Security-Policy that names exactly these.

They are found by the finders of django.contrib.staticfiles, not in STATIC_ROOT: the sources are in every image and in
every checkout, whether or not static files were collected there, and worker and web must come to the same digest.
Read once: a process goes on with what it started with.
"""

import hashlib
import re
from base64 import b64encode
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from django.contrib.staticfiles import finders
from django.core.exceptions import ImproperlyConfigured
from django.template import Node, Template
from django.template.base import FilterExpression
from django.template.loader import get_template
from django.template.loader_tags import ExtendsNode, IncludeNode

from archive.display.modules import join

TEMPLATE = "bundle/page.html"
STYLES = ("tokens", "base", "parts", "clock", "pages", "player")
WAVEFORM = "wavesurfer/wavesurfer.esm.js"


@dataclass(frozen=True)
class Assets:
    """Texts that stand in the page as they are. `digest` (hex) names them and the page's templates."""

    style: str
    theme: str
    script: str
    icons: str
    favicon: str
    policy: str
    digest: str


@cache
def assets() -> Assets:
    """Raises ImproperlyConfigured when a file is missing, or has what can't stand inside of a page."""
    style = _inside("style", "\n".join(source(f"portal/{name}.css") for name in STYLES))
    theme = _inside("script", source("portal/theme.js"))
    script = _inside("script", join("portal/bundle.js", source))
    icons = source("portal/icons.svg")
    favicon = "data:image/svg+xml;base64," + b64encode(source("portal/favicon.svg").encode()).decode()
    policy = _policy([theme, script], [style, waveform_style(source(WAVEFORM))])
    parts = (style, theme, script, icons, favicon, policy, *templates(TEMPLATE).values())
    digest = hashlib.sha256("\0".join(parts).encode()).hexdigest()
    return Assets(style, theme, script, icons, favicon, policy, digest)


def source(name: str) -> str:
    """A static file by its name below STATIC_URL."""
    found = finders.find(name)
    if not found:
        raise ImproperlyConfigured(f"The static file {name} is missing: npm ci brings what is not ours.")
    return Path(found).read_text(encoding="utf-8")


def templates(name: str) -> dict[str, str]:
    """The template's source and those of all that it includes, by name."""
    found: dict[str, str] = {}
    waiting = [name]
    while waiting:
        name = waiting.pop()
        if name not in found:
            template: Template = get_template(name).template  # type: ignore[attr-defined]  # as Django's own backend has it
            found[name] = str(template.source)
            waiting += [_named(node) for node in template.nodelist.get_nodes_by_type(IncludeNode)]
            if template.nodelist.get_nodes_by_type(ExtendsNode):
                raise ImproperlyConfigured(f"{name} extends another template, which the digest would not see.")
    return dict(sorted(found.items()))


def _named(node: Node) -> str:
    named = getattr(node, "template", None)
    if not isinstance(named, FilterExpression) or not isinstance(named.var, str):
        raise ImproperlyConfigured(f"{named} is included by a name that is not written out.")
    return named.var


def waveform_style(script: str) -> str:
    """The style sheet that wavesurfer.js puts beside its canvases, as it is when it begins with a height of 1
    (waveform.js)."""
    (styles,) = re.findall(r"<style\$\{[^<>]*\}>(.*?)</style>", script)
    style, heights = re.subn(r"\$\{this\.getHeight\([\w.,]+\)\}", "1", styles.replace("\\n", "\n"))
    if heights != 1 or "${" in style or "\\" in style:
        raise ImproperlyConfigured("The style of wavesurfer.js is not as it was: see archive/display/assets.py.")
    return str(style)


def _inside(element: str, text: str) -> str:
    """`text`, if it can be the whole of a <style> or <script> and is hashed as it stands there."""
    if re.search(rf"</{element}|<!--|\r|\0", text, re.IGNORECASE):
        raise ImproperlyConfigured(f"Something in a {element} of the bundle's page would end it.")
    return text


def _policy(scripts: list[str], styles: list[str]) -> str:
    """Nothing is fetched and nothing runs but what stands here; the sound lies beside the page."""
    directives = {
        "default-src": "'none'",
        "script-src": " ".join(map(allowed, scripts)),
        "style-src": " ".join(map(allowed, styles)),
        "img-src": "data:",
        "media-src": "'self' file:",
        "connect-src": "'none'",
        "base-uri": "'none'",
        "form-action": "'none'",
    }
    return "; ".join(f"{name} {allowed}" for name, allowed in directives.items())


def allowed(text: str) -> str:
    """How a policy names an inline style or script."""
    return f"'sha256-{b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
