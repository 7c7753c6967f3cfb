"""Every displayed text is translatable: a pseudo-locale changes all of it."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.apps import apps
from django.utils.functional import Promise
from django.utils.translation import gettext, trans_real

from archive import error_messages
from archive.errors import make_problem
from archive.formatting import format_time
from archive.intake.importers import inspect
from portal.remembered_texts import RememberedTranslation
from tests.support.pseudo_locale import everything_translated, pseudo_locale
from tests.support.unmarked_words import unmarked_words
from tests.test_error_messages import sample

# Files of an X data archive with values that importers cannot read, and other files.
FILES = {
    "space-1ypKdEXvkMLGW.ts": b"ID3",
    "spaces-metadata.js": b'window.YTD.spaces_metadata.part0 = [{"id": "1ypKdEXvkMLGW", "endedAt": "soon", "speakers": '
    b'[{"userId": "1"}], "totalParticipated": "many"}]',
}
OF_FILES = {"endedAt", "soon", "totalParticipated", "many", "spaces", "metadata", "js"}
JOINING = ["{file}: {sentence}", "and {rest} more"]


@pytest.fixture
def _pseudo_locale(tmp_path: Path) -> Iterator[None]:
    with pseudo_locale(tmp_path, {str(text) for text in error_messages.CATALOG.values()} | set(JOINING)):
        yield


@pytest.mark.usefixtures("_pseudo_locale")
def test_each_message_is_translated_when_it_is_shown() -> None:
    sentences = {code: error_messages.render(make_problem(code, **sample(code))) for code in error_messages.CATALOG}

    assert len(sentences) > 300
    assert [each for each in sentences.items() if not (each[1].startswith("⟦") and each[1].endswith("⟧"))] == []


@pytest.mark.usefixtures("_pseudo_locale")
def test_what_is_put_around_a_message_is_translated_too() -> None:
    problem = make_problem("storage.not_deleted", count=6, keys=list("abcdef"), file="talk.m4a")

    assert error_messages.render(problem) == "⟦talk.m4a: ⟦6 objects were not deleted: a, b, c, d, e, ⟦and 1 more⟧.⟧⟧"


def test_the_notes_on_files_are_translated() -> None:
    with everything_translated():
        notes = inspect(FILES).notes

    assert len(notes) == 3
    assert {word for note in notes for word in unmarked_words(note)} == OF_FILES


def test_without_a_translation_it_is_english() -> None:
    assert error_messages.render(make_problem("search.no_word")).startswith("The search has no word.")


def test_each_choice_of_a_model_is_marked() -> None:
    fields = [field for model in apps.get_app_config("archive").get_models() for field in model._meta.get_fields()]
    choices = [(str(field), label) for field in fields for _, label in getattr(field, "choices", None) or []]

    assert len(choices) > 50
    assert [place for place, label in choices if not isinstance(label, Promise)] == []


def test_dates_are_written_in_the_texts_of_the_active_catalog(tmp_path: Path) -> None:
    """Not with the catalog of a language of the same name that was active before."""
    noon = datetime(2026, 11, 30, 12, tzinfo=UTC)
    for number in range(2):
        with everything_translated():
            assert "⟦ UTC⟧" in format_time(noon)
        with pseudo_locale(tmp_path / f"{number}", {"Another"}):
            assert "⟦" not in format_time(noon)


def test_a_text_is_looked_for_once() -> None:
    """Django needs 15 us to find that no catalog has a text, and a page has 300 texts."""
    texts = trans_real.translation("en-gb")
    assert isinstance(texts, RememberedTranslation)

    first, _second = gettext("Beans on a shelf"), gettext("Beans on a shelf")

    assert first == "Beans on a shelf"
    assert texts.gettext.cache_info().hits >= 1  # type: ignore[attr-defined]
