"""Planted bugs: each one matches its file, and one is really planted. `make mutants` plants all of them, and runs the
tests."""

from pathlib import Path

from tests.mutants import MUTANTS
from tests.mutants.__main__ import files, find_catching_tests, planted

ROOT = Path(__file__).parent.parent
(LIFTED_FIRST,) = (mutant for mutant in MUTANTS if mutant.name == "7 days from the first lifting")


def test_there_are_at_least_20_of_different_names() -> None:
    assert len({mutant.name for mutant in MUTANTS}) == len(MUTANTS) >= 20


def test_each_mutant_matches_its_file_and_has_its_tests() -> None:
    places = {mutant.name: (ROOT / mutant.file).read_text().count(mutant.old) for mutant in MUTANTS}

    assert {name: count for name, count in places.items() if count != 1} == {}
    assert [file for file in files(*MUTANTS) if not (ROOT / file).is_file()] == []


def test_a_planted_bug_is_in_a_copy_only() -> None:
    with planted(LIFTED_FIRST) as tree:
        planted_in = (tree / LIFTED_FIRST.file).read_text()
        assert (planted_in.count(LIFTED_FIRST.new), planted_in.count(LIFTED_FIRST.old)) == (1, 0)
        assert (tree / "tests/test_policy.py").is_file()
    assert (ROOT / LIFTED_FIRST.file).read_text().count(LIFTED_FIRST.old) == 1


def test_a_planted_bug_is_caught() -> None:
    assert find_catching_tests(LIFTED_FIRST).startswith("test_policy.py::test_")
