"""Scripts use the language of their page: pages in other languages than English load a catalog of translations."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.support.http_clients import make_client
from tests.support.processes import ROOT
from tests.support.pseudo_locale import pseudo_locale

URL = "/translations.js"
MODULE = (ROOT / "archive/static/archive/core/translate.js").read_text()
CALLS = """
window.texts = [
  locale,
  gettext("Copied."),
  gettext("Not in the catalog."),
  interpolate(gettext("The link to %(time)s was copied."), { time: "1:00" }),
  interpolate(ngettext("%(count)s place", "%(count)s places", 0), { count: 0 }),
];
"""


@pytest.fixture
def _other_language(tmp_path: Path) -> Iterator[None]:
    with pseudo_locale(tmp_path, ["Copied.", "The link to %(time)s was copied."]):
        yield


@pytest.mark.usefixtures("db")
def test_an_english_page_loads_no_translations() -> None:
    page = make_client().get("/accounts/login/").content.decode()

    assert '<html lang="en"' in page
    assert URL not in page


@pytest.mark.usefixtures("db", "_other_language")
def test_a_page_in_another_language_loads_them_before_its_modules() -> None:
    answer = make_client().get("/accounts/login/")
    page = answer.content.decode()

    assert '<html lang="xx"' in page
    assert 0 < page.index(f'<script src="{URL}" defer></script>') < page.index('type="module"')
    assert "default-src 'self'" in answer["Content-Security-Policy"]
    assert "script-src" not in answer["Content-Security-Policy"]


@pytest.mark.usefixtures("db", "_other_language")
def test_browsers_keep_them_for_an_hour() -> None:
    answer = make_client().get(URL)
    again = make_client().get(URL, headers={"If-None-Match": answer["ETag"]})

    assert (answer["Content-Type"], answer["Cache-Control"]) == ('text/javascript; charset="utf-8"', "max-age=3600")
    assert (again.status_code, again.content) == (304, b"")


def show(page: Page, language: str, catalog: str) -> list[str]:
    page.set_content(
        f'<html lang="{language}"><script>{catalog}</script><script type="module">{MODULE}{CALLS}</script></html>'
    )
    texts: list[str] = json.loads(page.evaluate("JSON.stringify(window.texts)"))
    return texts


@pytest.mark.usefixtures("_other_language")
def test_a_script_shows_translated_texts(page: Page) -> None:
    catalog = make_client().get(URL).content.decode()

    texts = show(page, "xx", catalog)

    assert texts == ["xx", "⟦Copied.⟧", "Not in the catalog.", "⟦The link to 1:00 was copied.⟧", "0 places"]


def test_without_translations_a_script_shows_english(page: Page) -> None:
    texts = show(page, "en", "")

    assert texts == ["en-GB", "Copied.", "Not in the catalog.", "The link to 1:00 was copied.", "0 places"]
