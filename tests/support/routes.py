"""List every address of urls.py, for tests that request all of them, so that they include new ones automatically."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

from django.urls import URLPattern, URLResolver, get_resolver

PARAMETER = re.compile(r"<(?:(\w+):)?(\w+)>")
NUMBER = "1"
TEXT = "x"


@dataclass(frozen=True)
class Route:
    """`name` includes its namespace; for an address without a name it is the template itself."""

    name: str
    template: str
    path: str


def each_route(values: Mapping[str, Sequence[object]], *, of_admin_site: bool = False) -> Iterator[Route]:
    """Yield every address, once for each combination of parameter values. A parameter without values gets 1 for a
    number, the values of `uuid` for an id, and "x" for text. Excludes Django's admin site, unless `of_admin_site`.
    """
    for name, route in _flat(get_resolver().url_patterns, "", ""):
        if name.startswith("admin:") and not of_admin_site:
            continue
        parameters = [(kind, parameter) for kind, parameter in PARAMETER.findall(route)]
        for chosen in product(*(_values(values, kind, parameter) for kind, parameter in parameters)):
            path = route
            for value in chosen:
                path = PARAMETER.sub(str(value), path, count=1)
            yield Route(name, route, f"/{path}")


def _values(values: Mapping[str, Sequence[object]], kind: str, parameter: str) -> Sequence[object]:
    if parameter in values:
        return values[parameter]
    return values["uuid"] if kind.startswith("uuid") else [NUMBER if kind == "int" else TEXT]


def _flat(patterns: Sequence[URLPattern | URLResolver], route: str, namespace: str) -> Iterator[tuple[str, str]]:
    for pattern in patterns:
        here = route + _plain(str(pattern.pattern))
        if isinstance(pattern, URLResolver):
            inner = f"{namespace}{pattern.namespace}:" if pattern.namespace else namespace
            yield from _flat(pattern.url_patterns, here, inner)
        else:
            yield namespace + (pattern.name or here), here


def _plain(pattern: str) -> str:
    """Return a text that a regular expression matches (allauth and the admin site have some)."""
    pattern = re.sub(r"\(\?P<(\w+)>[^)]*\)", r"<\1>", pattern)
    return pattern.removeprefix("^").removesuffix("$").removesuffix("\\Z")
