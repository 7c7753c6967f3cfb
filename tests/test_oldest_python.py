"""Differences of Python 3.11.2, which Debian 12 has; development machines have later versions."""

import ast
from collections.abc import Iterator

from tests.support.processes import ROOT


def members(source: str) -> Iterator[ast.Assign]:
    """Return the members of the enums in a module: of classes with a base that ends in Enum or Choices."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ClassDef) and any(ast.unparse(b).endswith(("Enum", "Choices")) for b in node.bases):
            yield from (line for line in node.body if isinstance(line, ast.Assign))


def test_no_member_of_an_enum_is_an_empty_tuple() -> None:
    """Before Python 3.11.3, the value of such a member is a bare object(): on Debian 12, no upload could be opened."""
    files = [*ROOT.glob("archive/**/*.py"), *ROOT.glob("portal/**/*.py")]
    found = {f"{file.name}: {ast.unparse(line)}": line for file in files for line in members(file.read_text())}

    assert len(found) > 100
    assert [line for line, member in found.items() if ast.unparse(member.value) == "()"] == []
