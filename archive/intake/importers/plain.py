"""Import a recording without a tool's metadata: its name, its tags, and files of the same name beside it."""

from archive.errors import Unreadable
from archive.intake.importers import captions, tags
from archive.intake.importers.facts import Facts, ImportCandidate
from archive.intake.importers.tree import Tree, ending, folder, stem

SOURCE = "file"


def find(tree: Tree, sounds: list[str]) -> list[ImportCandidate]:
    """Return a candidate for each of `sounds`. A metadata file of the same name that can't be read gets a note."""
    return [ImportCandidate(tree, name, _facts(tree, name), captions.beside(tree, name)) for name in sounds]


def _facts(tree: Tree, name: str) -> Facts:
    found_tags = tags.read(tree, name)
    notes = (*found_tags.notes(name), *_note_unreadable_files(tree, name))
    return Facts(SOURCE, title=found_tags.title, notes=notes)


def _note_unreadable_files(tree: Tree, name: str) -> list[str]:
    notes = []
    for file in tree.within(folder(name)):
        if ending(file) == ".json" and stem(file) == stem(name):
            try:
                tree.document(file)
            except Unreadable as error:
                notes.append(str(error))
    return notes
