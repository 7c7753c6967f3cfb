"""A recording that no tool has described: its own name, its tags, and what lies beside it under the same name."""

from archive.errors import Unreadable
from archive.intake.importers import captions, tags
from archive.intake.importers.facts import Facts, ImportCandidate
from archive.intake.importers.tree import Tree, ending, folder, stem

SOURCE = "file"


def find(tree: Tree, sounds: list[str]) -> list[ImportCandidate]:
    """Each of `sounds`. A file of facts that should describe it, and can't be read, is told."""
    return [ImportCandidate(tree, name, _facts(tree, name), captions.beside(tree, name)) for name in sounds]


def _facts(tree: Tree, name: str) -> Facts:
    told = tags.read(tree, name)
    return Facts(SOURCE, title=told.title, notes=(*told.notes(name), *_not_understood(tree, name)))


def _not_understood(tree: Tree, name: str) -> list[str]:
    notes = []
    for file in tree.within(folder(name)):
        if ending(file) == ".json" and stem(file) == stem(name):
            try:
                tree.document(file)
            except Unreadable as error:
                notes.append(str(error))
    return notes
