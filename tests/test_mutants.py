"""Planted bugs: each matches its file, and one is really planted and caught. `make mutants` plants all."""

from pathlib import Path
from queue import SimpleQueue

import pytest

from tests import plugin
from tests.mutants import MUTANTS, Mutant
from tests.mutants.__main__ import find_catching_tests

ROOT = Path(__file__).parent.parent


def test_there_are_at_least_20_of_different_names() -> None:
    assert len({mutant.name for mutant in MUTANTS}) == len(MUTANTS) >= 20


@pytest.mark.parametrize("mutant", MUTANTS, ids=[mutant.name for mutant in MUTANTS])
def test_each_mutant_matches_its_file_and_has_its_tests(mutant: Mutant) -> None:
    assert (ROOT / mutant.file).read_text().count(mutant.old) == 1
    assert [name for name in mutant.tests if not (ROOT / "tests" / f"{name}.py").is_file()] == []


def test_a_planted_bug_is_caught() -> None:
    (mutant,) = (mutant for mutant in MUTANTS if mutant.name == "7 days from the first lifting")
    free: SimpleQueue[dict[str, str]] = SimpleQueue()
    free.put({**plugin.engines.env, "TEST_ENGINES": str(plugin.DATA)})

    assert find_catching_tests(mutant, free) == "test_policy"
