"""Account for every given file: as a recording, a companion of one, or left out with a reason."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from archive import error_messages
from archive.errors import Problem, Unreadable, make_problem
from archive.intake.importers import captions
from archive.intake.importers.facts import ImportCandidate
from archive.intake.importers.sniff import Kind
from archive.intake.importers.tree import Tree, base, ending, folder

# More files than this in one folder, with the same reason, become one line: an X data archive has a hundred thousand.
MAX_LINES = 20
GROUPED = {"import.not_about_spaces", "import.hidden"}  # always one line for each folder
KINDS = {
    Kind.PICTURE: make_problem("import.picture"),
    Kind.DOCUMENT: make_problem("import.document"),
    Kind.ARCHIVE: make_problem("import.nested_archive"),
    Kind.PROGRAM: make_problem("import.program"),
    Kind.EMPTY: make_problem("import.empty"),
    Kind.UNKNOWN: make_problem("import.unknown_kind"),
}


@dataclass(frozen=True)
class Companion:
    """A file that belongs to a recording: "transcript" or "metadata". `language` is the tag in its name, or ""."""

    file: str
    recording: str
    kind: str
    language: str = ""

    def as_json(self) -> dict[str, Any]:
        return {"file": self.file, "recording": self.recording, "kind": self.kind, "language": self.language}


@dataclass(frozen=True)
class LeftOut:
    """A file that is not imported, or `count` files of a folder (its name ends in "/")."""

    file: str
    problem: Problem
    count: int = 1

    @property
    def sentence(self) -> str:
        params = {key: value for key, value in self.problem["params"].items() if key != "file"}
        return error_messages.render({"code": self.problem["code"], "params": params})

    def as_json(self) -> dict[str, Any]:
        return {"file": self.file, "count": self.count, "code": self.problem["code"], "problem": self.sentence}


@dataclass(frozen=True)
class Survey:
    """The recordings, companions and other files of one tree. Names are those in the tree."""

    candidates: Sequence[ImportCandidate]
    companions: Sequence[Companion]
    left_out: Sequence[LeftOut]


def account(tree: Tree, candidates: Sequence[ImportCandidate], reasons: Mapping[str, Problem]) -> Survey:
    """Sort each file of the tree. `reasons`: from importers that know the file and don't use it."""
    companions = [companion for candidate in candidates for companion in _companions(candidate)]
    taken = {candidate.recording for candidate in candidates} | {companion.file for companion in companions}
    chosen = {candidate.recording: candidate.transcript for candidate in candidates}
    owners = {name: sound for sound, names in captions.pair(tree).items() for name in names}
    rest = [name for name in tree.names if name not in taken and tree.is_handed_over(name)]
    problems = [(name, reasons.get(name) or _explain(tree, name, owners.get(name), chosen)) for name in rest]
    left_out = _group([*problems, *tree.ignored])
    ordered = sorted(companions, key=lambda companion: (companion.recording, companion.file))
    return Survey(sorted(candidates, key=lambda candidate: candidate.recording), ordered, left_out)


def _companions(candidate: ImportCandidate) -> Iterable[Companion]:
    if candidate.transcript:
        yield Companion(candidate.transcript, candidate.recording, "transcript", candidate.language)
    for name in candidate.metadata:
        yield Companion(name, candidate.recording, "metadata")


def _explain(tree: Tree, name: str, recording: str | None, chosen: Mapping[str, str | None]) -> Problem:
    """Return the reason for leaving the file out. `recording` is the one that it is named after, if any."""
    kind = tree.kind(name)
    if name in tree.faults:
        return tree.faults[name]
    if kind in KINDS:
        return KINDS[kind]
    if kind == Kind.SOUND:
        return make_problem("import.other_sound")
    fault = captions.find_fault(tree, name)
    if not fault and recording and chosen.get(recording):
        return make_problem("import.other_transcript", recording=base(recording), chosen=base(chosen[recording] or ""))
    if not fault:
        return make_problem("import.transcript_alone")
    if problem := _explain_metadata(tree, name, fault):
        return problem
    return fault if recording else make_problem("import.text")


def _explain_metadata(tree: Tree, name: str, fault: Problem) -> Problem:
    """Return the fault of a metadata file that no importer used, or {} if it is not metadata. `fault`: why it is not a
    transcript."""
    if ending(name) not in (".json", ".js"):
        return {}
    if ending(name) == ".json" and fault["code"] == "transcript.json_broken":
        return make_problem("import.not_json", file=base(name))
    try:
        tree.document(name)
    except Unreadable as error:
        return error.problem if ending(name) == ".json" else {}
    return make_problem("import.unknown_metadata")


def _group(problems: Iterable[tuple[str, Problem]]) -> list[LeftOut]:
    """Make one line for each file, or for many in one folder with the same reason."""
    left_out = Counter[tuple[str, str]]()
    by_name: dict[tuple[str, str], Problem] = {}
    for name, problem in problems:
        key = (name, _code(problem))
        left_out[key] += 1
        by_name.setdefault(key, problem)
    sizes = Counter[tuple[str, str]]()
    for (name, code), count in left_out.items():
        sizes[_place(name, code), code] += count
    lines: dict[tuple[str, str], LeftOut] = {}
    for (name, code), count in left_out.items():
        place = _place(name, code)
        is_many = sizes[place, code] > (1 if code in GROUPED else MAX_LINES)
        shown = place if is_many else name
        line = lines.get((shown, code))
        total = count + (line.count if line else 0)
        problem = by_name[name, code]
        lines[shown, code] = replace(line, count=total) if line else LeftOut(shown, problem, total)
    return sorted(lines.values(), key=lambda line: (line.file, line.problem["code"]))


def _code(problem: Problem) -> str:
    return str(problem["code"])


def _place(name: str, code: str) -> str:
    """Return the folder that stands for a group of files. Files in a hidden folder belong to that folder."""
    if name.endswith("/"):
        return name
    return f"{folder(name)}/" if folder(name) else "./"
