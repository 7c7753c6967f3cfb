"""Which passwords are refused."""

import hashlib
from pathlib import Path

import pytest
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from pytest_django import Settings

from archive.models import User

NORA = User(username="nora", first_name="Nora", last_name="Quilter", email="nora@seedlibrary.example")


def refusals(password: str) -> set[str | None]:
    try:
        validate_password(password, NORA)
    except ValidationError as error:
        return {one.code for one in error.error_list}
    return set()


@pytest.mark.parametrize(
    "password",
    [
        *("8374650192", "Summer2026!", "password2026", "noranorano", "spacekeep1", " " * 10),
        *("Quilter-1987", "seedlibrary2026", "spacekeep spacekeep", "qwertyuiopasdf", "aaaaaaaaaaaaaaaa"),
        *("Autumn2027!!", "19871123198711"),
    ],
)
def test_guessable_passwords_are_refused(password: str) -> None:
    assert refusals(password) & {"password_guessable", "password_too_short"}


def test_the_words_of_the_site_and_the_user_count_as_known() -> None:
    assert "password_guessable" in refusals("Nora Quilter spacekeep")
    assert "password_guessable" not in refusals("Ezra Thimble lighthouse")


@pytest.mark.parametrize("password", ["violet harbour cabinet 29", "Xk7#pq!vR2mzL9", "Igel Turm Salat " + "grün " * 30])
def test_good_passwords_are_accepted(password: str) -> None:
    assert refusals(password) == set()


@pytest.mark.parametrize("count", ["", ":12"])
def test_breached_passwords_are_refused(count: str, tmp_path: Path, settings: Settings) -> None:
    """The first, middle and last line of a list are refused, and adjacent values that are not in it are accepted."""
    words = [f"violet harbour cabinet {number}" for number in range(100)]
    sums = sorted(hashlib.sha1(word.encode(), usedforsecurity=False).hexdigest().upper() for word in words)
    file = tmp_path / "breached.txt"
    file.write_text("".join(f"{digest}{count}\n" for digest in sums))
    settings.BREACHED_PASSWORD_LIST = str(file)

    assert all("password_breached" in refusals(word) for word in words)
    assert not any("password_breached" in refusals(f"amber harbour cabinet {number}") for number in range(100))


def test_without_a_list_nothing_is_looked_up(settings: Settings) -> None:
    settings.BREACHED_PASSWORD_LIST = ""

    assert refusals("violet harbour cabinet 29") == set()
