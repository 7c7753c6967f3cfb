"""The modules that a script imports, for `<link rel="modulepreload">`, so that browsers load them at once and not level
by level."""

import re
from functools import cache
from pathlib import Path
from posixpath import dirname, join, normpath

from django.contrib.staticfiles import finders

# Imports of our own modules as Biome formats them; `import(...)` is loaded when it is needed.
IMPORTS = re.compile(r'^(?:import|\} from|export)\b[^"\n]*"(\.{1,2}/[^"]+)";$', re.MULTILINE)


@cache
def imported_modules(entry: str) -> tuple[str, ...]:
    """Return the static names of all modules that `entry` needs before it runs, without itself. Read once per
    process."""
    names: dict[str, None] = {}
    pending = [entry]
    while pending:
        name = pending.pop(0)
        if name not in names:
            names[name] = None
            pending += [normpath(join(dirname(name), path)) for path in IMPORTS.findall(_source(name))]
    return tuple(names)[1:]


def _source(name: str) -> str:
    path = finders.find(name)
    return Path(path).read_text() if path else ""
