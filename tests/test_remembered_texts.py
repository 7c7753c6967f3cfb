"""Translations are cached per language and plural form (portal/remembered_texts.py)."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

from django.utils.translation import gettext, ngettext, override, pgettext, trans_real

from portal.remembered_texts import MAX_TEXTS, RememberedTranslation
from tests.support.pseudo_locale import PSEUDO, pseudo_locale

SENTENCE = "Beans on a shelf"
FORMS = ("{count} bean", "{count} beans")


def read() -> list[str]:
    return [gettext(SENTENCE), pgettext("a dish", SENTENCE), *(ngettext(*FORMS, number) for number in (1, 2))]


ENGLISH = [SENTENCE, SENTENCE, *FORMS]
CATALOG = {SENTENCE, "\0".join(FORMS)}
TRANSLATED = [f"⟦{SENTENCE}⟧", SENTENCE, "⟦{count} bean", "{count} beans⟧"]  # there is no form for a dish


def test_a_text_follows_the_active_language(tmp_path: Path) -> None:
    with override("en-gb"):
        assert read() == ENGLISH
    with pseudo_locale(tmp_path, CATALOG):
        for _ in range(2):
            assert read() == TRANSLATED
            with override("en-gb"):
                assert read() == ENGLISH


def test_threads_with_different_languages_share_nothing(tmp_path: Path) -> None:
    together = Barrier(2)

    def read_often(language: str) -> list[list[str]]:
        with override(language):
            together.wait(60)
            return [read() for _ in range(200)]

    with pseudo_locale(tmp_path, CATALOG), ThreadPoolExecutor(2) as pool:
        english, translated = pool.map(read_often, ("en-gb", PSEUDO))

    assert english == [ENGLISH] * 200
    assert translated == [TRANSLATED] * 200


def test_new_catalogs_are_read_anew(tmp_path: Path) -> None:
    """Catalogs that a test has translated are read again: Django recreates its languages when the settings change."""
    with pseudo_locale(tmp_path / "first", {SENTENCE}):
        assert gettext(SENTENCE) == f"⟦{SENTENCE}⟧"
    with pseudo_locale(tmp_path / "second", {"Another"}):
        assert gettext(SENTENCE) == SENTENCE


def test_only_so_many_texts_of_pages_are_remembered() -> None:
    """A catalog for scripts is created for each request, and nothing is looked up in it."""
    texts: Any = trans_real.translation("en-gb")
    assert [texts.gettext.cache_info().maxsize, texts.ngettext.cache_info().maxsize] == [MAX_TEXTS, MAX_TEXTS]

    for_scripts: Any = RememberedTranslation("en-gb", domain="djangojs")

    assert not hasattr(for_scripts.gettext, "cache_info")
    assert for_scripts.gettext(SENTENCE) == SENTENCE
