"""Pages with parts that htmx updates load htmx. Without it they would show an old state until a reload."""

import re
from functools import cache
from pathlib import Path

import pytest
from django.conf import settings

FOLDER = Path(settings.BASE_DIR, "templates")
SCRIPT = "<script src=\"{% static 'htmx/htmx.min.js' %}\" defer></script>"
INCLUDED = re.compile(r'{%-?\s*include "([^"]+)"')
EXTENDS = "{% extends "  # only full pages load it
TAG = re.compile(r"<[a-z]+\b[^>]*\shx-(?:get|post|trigger)=[^>]*>", re.DOTALL)
# Works without htmx too, as an ordinary form whose response is a page.
PLAIN_FORM = re.compile(r'<form method="post" action="')


@cache
def source(name: str) -> str:
    path = FOLDER / name
    return path.read_text() if path.exists() else ""  # from a package that does not use htmx


@cache
def with_includes(name: str) -> str:
    """Return the source of a template with all that it includes."""
    return "".join(source(one) for one in sorted(included(name)))


def included(name: str) -> set[str]:
    names, new = set(), {name}
    while new:
        names |= new
        new = {child for one in new for child in INCLUDED.findall(source(one))} - names
    return names


FRAMES = ("base.html", "base_minimal.html")
# The panel of an automatic transcript is not shown there: its `speech` comes from portal/presenters/space_page.py.
WITHOUT_PANEL = {"moderation/space.html": "portal/presenters/moderation_page.py"}
PAGES = [
    name
    for name in sorted(str(path.relative_to(FOLDER)) for path in FOLDER.rglob("*.html"))
    if name not in FRAMES and EXTENDS in source(name) and TAG.search(with_includes(name))
]


def test_the_pages_that_use_htmx_are_found() -> None:
    assert {"log/proof.html", "export/page.html", "export/chosen.html", "spaces/detail.html"} <= set(PAGES)


@pytest.mark.parametrize("page", PAGES)
def test_a_page_that_uses_htmx_loads_it(page: str) -> None:
    if page in WITHOUT_PANEL:
        assert "speech" not in Path(settings.BASE_DIR, WITHOUT_PANEL[page]).read_text()
    else:
        assert SCRIPT in with_includes(page)


@pytest.mark.parametrize("frame", FRAMES)
def test_what_every_page_has_works_without_htmx(frame: str) -> None:
    tags = TAG.findall(with_includes(frame))

    assert [tag for tag in tags if not PLAIN_FORM.match(tag)] == []


POLLED = [
    tag
    for path in sorted(FOLDER.rglob("*.html"))
    for tag in re.findall(r"<[a-z]+ .*", path.read_text())
    if 'hx-trigger="every ' in tag
]


def test_each_part_that_updates_itself_says_what_is_read_out() -> None:
    """core/htmx-parts.js finds parts by these two attributes. A part with both keeps the focus, and does not look
    current after a failed update. No other live region reads out each update."""
    assert len(POLLED) >= 6
    for tag in POLLED:
        assert re.match(r'<[a-z]+ (class="[^"]*" )?id="[a-z]+"', tag), tag
        assert 'data-announce="' in tag, tag
        assert "aria-live" not in tag, tag
        assert 'role="status"' not in tag, tag
