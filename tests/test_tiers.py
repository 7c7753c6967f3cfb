"""Tests are assigned to tiers automatically, so that `make test-fast` starts no process or browser and decodes no
audio."""

import pytest

from tests.plugin import LONGEST, TIERS


@pytest.fixture
def tiers(request: pytest.FixtureRequest) -> set[str]:
    return {marker.name for marker in request.node.iter_markers()} & TIERS.keys()


@pytest.mark.usefixtures("db")
def test_a_test_in_a_transaction_is_fast(tiers: set[str]) -> None:
    assert tiers == {"fast"}


@pytest.mark.usefixtures("zebrafish")
def test_a_test_with_a_recording_is_store(tiers: set[str]) -> None:
    assert tiers == {"store"}


@pytest.mark.usefixtures("committed")
def test_a_test_that_commits_is_system(tiers: set[str]) -> None:
    assert tiers == {"system"}


@pytest.mark.usefixtures("page")
def test_a_test_with_a_page_is_browser(tiers: set[str]) -> None:
    assert tiers == {"system", "browser"}


def test_the_longest_files_come_first(request: pytest.FixtureRequest) -> None:
    files = [item.path.stem for item in request.session.items]

    ranks = [LONGEST.index(file) if file in LONGEST else len(LONGEST) for file in files]

    assert ranks == sorted(ranks)
    assert [file for file in LONGEST if not request.path.with_name(f"{file}.py").exists()] == []
