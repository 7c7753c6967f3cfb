"""The docstring of archive/lifecycle.py lists exactly the transitions in the table. docs/architecture.md refers to
it."""

import itertools
import re

from archive import lifecycle
from archive.lifecycle import TRANSITIONS

Edges = set[tuple[str, str]]

INDENT = 15  # spaces up to the column after the model's name; then a diagram, which ends at two spaces, and a comment


def test_the_docstring_has_every_transition_and_no_other() -> None:
    table: dict[str, Edges] = {}
    for model, old, new in TRANSITIONS:
        table.setdefault(model.__name__, set()).add((old.value, new.value))

    assert read_docstring(str(lifecycle.__doc__)) == table


def read_docstring(text: str) -> dict[str, Edges]:
    """Read lines such as "Hold           standing -> released   comment" as {model: its transitions}."""
    _, diagrams, _ = text.split("\n\n")
    table: dict[str, Edges] = {}
    model = ""
    for line in diagrams.splitlines():
        model = line[:INDENT].strip() or model
        edges = table.setdefault(model, set())
        diagram = re.split(r" {2,}", line[INDENT:])[0]
        if diagram == "as a bundle":
            edges |= table["Bundle"]
        elif diagram:  # otherwise the line continues a comment
            edges |= read_diagram(diagram, {state for pair in edges for state in pair})
    return table


def read_diagram(diagram: str, known: set[str]) -> Edges:
    """Read "a -> b | c -> d" as transitions. `known` are the states in the lines above."""
    steps = [known if step == "any of these" else set(step.split(" | ")) for step in diagram.split(" -> ")]
    return {edge for pair in itertools.pairwise(steps) for edge in itertools.product(*pair)}
