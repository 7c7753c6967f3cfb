"""Import a recording without a tool's metadata: from its name and its tags."""

from archive.intake.importers import tags
from archive.intake.importers.facts import Facts, ImportCandidate
from archive.intake.importers.tree import Tree

SOURCE = "file"


def find(tree: Tree, sounds: list[str]) -> list[ImportCandidate]:
    """Return a candidate for each of `sounds`."""
    return [ImportCandidate(tree, name, _facts(tree, name)) for name in sounds]


def _facts(tree: Tree, name: str) -> Facts:
    found_tags = tags.read(tree, name)
    return Facts(SOURCE, title=found_tags.title, notes=found_tags.notes(name))
