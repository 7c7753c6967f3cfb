"""Our ES modules as one plain script, for a page that is opened from a disk: browsers import nothing over file:.

Each module becomes a function with a scope of its own, so that names can't collide; what it exports is what the
function returns. Only the forms of import and export that our modules use are known; any other is refused, and so is
a circle.
"""

import posixpath
import re
from collections.abc import Callable

IMPORT = re.compile(r'^import (?:\{ (\w+(?:, \w+)*) \}|(\w+)) from "(\.{1,2}/[\w./-]+)";$', re.MULTILINE)
EXPORT = re.compile(r"^export (?=(?:async )?function (\w+)|const (\w+) =|class (\w+))", re.MULTILINE)
DEFAULT = re.compile(r"\bexport\s*\{\s*([\w$]+) as default\s*\};?\s*\Z")  # the last words of a built file
UNKNOWN = re.compile(r"^\s*(?:import|export)\b.*|\bimport\s*[(.].*|\bexport\s*[{*].*", re.MULTILINE)


class UnknownForm(ValueError):
    """A module has something that can't be joined."""


class _Joining:
    def __init__(self, read: Callable[[str], str]) -> None:
        self.read = read
        self.parts: list[str] = []
        self.exports: dict[str, dict[str, str]] = {}  # path -> name outside -> name inside; in order of dependence

    def add(self, path: str, above: tuple[str, ...] = ()) -> None:
        """`path`, after all that it imports. `above`: what is waiting for it."""
        if path in above:
            raise UnknownForm(f"{path} imports itself, by way of {', '.join(above)}")
        if path in self.exports:
            return
        exports: dict[str, str] = {}

        def bring(found: re.Match[str]) -> str:
            other = posixpath.normpath(posixpath.join(posixpath.dirname(path), found[3]))
            self.add(other, (*above, path))
            for name in (found[1] or "default").split(", "):
                if name not in self.exports[other]:
                    raise UnknownForm(f"{path} imports {name}, which {other} does not export")
            return f"const {{ {found[1] or f'default: {found[2]}'} }} = module_{list(self.exports).index(other)};"

        def give(found: re.Match[str]) -> str:
            name = next(name for name in found.groups() if name)
            exports[name] = name
            return ""

        def give_default(found: re.Match[str]) -> str:
            exports["default"] = found[1]
            return ""

        source = DEFAULT.sub(give_default, EXPORT.sub(give, IMPORT.sub(bring, self.read(path))))
        if unknown := UNKNOWN.search(source):
            said = unknown[0].strip()[:80]
            raise UnknownForm(f"{path} has a form of import or export that is not known here: {said}")
        given = ", ".join(f"{outside}: {inside}" for outside, inside in exports.items())
        self.parts.append(f"const module_{len(self.exports)} = (() => {{\n{source}\nreturn {{ {given} }};\n}})();\n")
        self.exports[path] = exports


def join(entry: str, read: Callable[[str], str]) -> str:
    """`entry` and all that it imports, as a script. `read` gives the source of a module by its path. Raises
    UnknownForm, and what `read` raises."""
    joining = _Joining(read)
    joining.add(entry)
    return '(() => {\n"use strict";\n' + "".join(joining.parts) + "})();\n"
