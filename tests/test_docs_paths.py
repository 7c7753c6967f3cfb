"""Every file and every command that documentation, pages or comments name exists."""

import re
from pathlib import Path

from django.core.management import get_commands

ROOT = Path(__file__).parent.parent
FOLDERS = (
    *(
        ".ci",
        ".github",
        "archive",
        "compose",
        "docs",
        "embedded",
        "ops",
        "portal",
        "proxy",
        "requirements",
        "templates",
    ),
    "tests",
)
DOCUMENTS = sorted(
    path.relative_to(ROOT).as_posix()
    for path in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("archive/**/*.md")]
)
SOURCES = sorted(
    path.relative_to(ROOT).as_posix()
    for folder in ("archive", "embedded", "portal", "tests", "templates")
    for path in (ROOT / folder).rglob("*.*")
    if path.suffix in {".py", ".js", ".css", ".html", ".txt"} and path.name != "offline-page.bundle.js"
)
# A path from the root, such as archive/log/events.py or tests/faults/, anywhere in a text.
PATH = re.compile(rf"(?<![\w/.-])(?:{'|'.join(map(re.escape, FOLDERS))})/[\w./-]*\w/?")
# The end of a path in backquotes, such as `compose.py` or `models/notice_kinds.py`.
MODULE = re.compile(r"`((?:\w+/)*\w+\.py)`")
# A command to be typed: in backquotes, <code>, or after ./
COMMAND = re.compile(r"(?:`|<code>|\./)manage\.py ([a-z]\w*)")
LINK = re.compile(r"\]\(([^)#:\s]+)(?:#[\w-]*)?\)")
ANCHOR = re.compile(r"\]\(([^)#:\s]*)#([\w-]+)\)")
# Files that the guides tell readers to create.
CREATED = {
    *("archive/intake/importers/roomtape.py", "tests/test_import_roomtape.py"),
    *("portal/views/rules.py", "templates/rules/list.html", "tests/test_rules_page.py"),
    *("templates/archive/mail/transcript-ready.txt", "templates/notices/text/transcript-ready.html"),
}
# Templates and static files are named relative to the folders in which Django looks for them.
LOOKED_UP = (ROOT, ROOT / "templates", ROOT / "archive/static", ROOT / "portal/static")
INVENTED = {"archive/policy.py/x"}  # a path in a test's own data


def test_every_file_that_a_document_names_exists() -> None:
    assert {document: missing for document in DOCUMENTS if (missing := find_missing(document))} == {}


def find_missing(document: str) -> list[str]:
    """Return the files that a text names and that don't exist."""
    text = (ROOT / document).read_text()
    folder = (ROOT / document).parent
    missing = [path for path in PATH.findall(text) if path not in CREATED and not (ROOT / path).exists()]
    missing += [path for path in LINK.findall(text) if not (folder / path).exists()]
    missing += [path for path in MODULE.findall(text) if path not in CREATED and not is_end_of_a_path(path)]
    return missing


def test_every_heading_that_a_link_names_exists() -> None:
    missing = [
        (document, path, anchor)
        for document in DOCUMENTS
        for path, anchor in ANCHOR.findall((ROOT / document).read_text())
        if anchor not in anchors((ROOT / document).parent / path if path else ROOT / document)
    ]

    assert missing == []


def test_operators_find_every_section_at_the_top() -> None:
    text = (ROOT / "docs/operations.md").read_text()
    overview = text.partition("\n## ")[0]

    sections = {slug(name) for name in re.findall(r"^## (.+)$", text, re.MULTILINE)}
    assert set(re.findall(r"\]\(#([\w-]+)\)", overview)) == sections


def anchors(document: Path) -> set[str]:
    """Return the anchors that GitHub makes for its headings."""
    return {slug(heading) for heading in re.findall(r"^#+ (.+)$", document.read_text(), re.MULTILINE)}


def slug(heading: str) -> str:
    return re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")


def is_end_of_a_path(path: str) -> bool:
    return (ROOT / path).exists() or any(source.endswith(f"/{path}") for source in SOURCES)


def test_every_file_that_the_code_names_exists() -> None:
    missing = [
        (source, path)
        for source in SOURCES
        for path in PATH.findall((ROOT / source).read_text())
        if not any((folder / path).exists() for folder in LOOKED_UP)
    ]

    assert [pair for pair in missing if pair[1] not in CREATED | INVENTED] == []


def test_every_command_that_is_named_exists() -> None:
    commands = [
        (source, name)
        for source in [*DOCUMENTS, *SOURCES]
        for name in COMMAND.findall((ROOT / source).read_text())
        if name != "command"
    ]

    assert len(commands) > 10
    assert [(source, name) for source, name in commands if name not in get_commands()] == []


def test_a_guide_names_each_file_that_it_creates() -> None:
    guides = "\n".join(path.read_text() for path in (ROOT / "docs/how-to").glob("*.md"))

    assert [path for path in sorted(CREATED) if f"`{path}`" not in guides] == []


def test_documents_and_sources_are_found() -> None:
    assert {"README.md", "docs/architecture.md", "docs/how-to/add-a-page.md", "archive/demo/README.md"} <= set(
        DOCUMENTS
    )
    assert {"archive/leases.py", "portal/static/portal/upload/page.js", "templates/base.html"} <= set(SOURCES)
    assert "tests/test_docs_paths.py" in SOURCES
