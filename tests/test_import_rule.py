"""Imports run one way, found by reading the code, imports inside of functions included."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

# Each may import what stands on its own line or further down.
LAYERS = [
    ("archive.admin", "archive.apps", "archive.management"),
    ("archive.tasks",),
    ("archive.retention", "archive.bundles", "archive.intake", "archive.moderation"),
    ("archive.notices",),
    ("archive.display", "archive.search", "archive.own_lines", "archive.export_revocation", "archive.recorders"),
    ("archive.storage", "archive.log", "archive.lifecycle", "archive.leases"),
    ("archive.models",),
    (
        "archive.policy",
        "archive.errors",
        "archive.dbtime",
        "archive.cues",
        "archive.formatting",
        "archive.messages",
        "archive.wakeups",
    ),
]
APART = {"archive.retention", "archive.bundles", "archive.intake"}  # these don't import each other
LEFT_OUT = {"migrations", "demo"}  # history, and a script that makes the demo recording


def imports(source: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            yield from (f"{node.module}.{name.name}" for name in node.names)


def code(folder: str) -> Iterator[tuple[str, str]]:
    """(module, what it imports), for each import in the folder."""
    for path in sorted((ROOT / folder).rglob("*.py")):
        inside = path.relative_to(ROOT)
        if not LEFT_OUT & set(inside.parts):
            module = ".".join(inside.with_suffix("").parts).removesuffix(".__init__")
            for name in imports(path.read_text()):
                yield module, name


def within(name: str, package: str) -> bool:
    return name == package or name.startswith(f"{package}.")


def part(name: str) -> str:
    (found,) = (package for layer in LAYERS for package in layer if within(name, package))
    return found


def layer(package: str) -> int:
    (found,) = (number for number, packages in enumerate(LAYERS) if package in packages)
    return found


def breaches(module: str, name: str) -> bool:
    if module == "archive" or not within(name, "archive"):
        return False
    mine, theirs = part(module), part(name)
    return layer(theirs) < layer(mine) or (mine != theirs and {mine, theirs} <= APART)


def test_archive_imports_run_one_way() -> None:
    assert [f"{module} imports {name}" for module, name in code("archive") if breaches(module, name)] == []


@pytest.mark.parametrize("folder", ["archive", "embedded"])
def test_nothing_rests_on_the_portal(folder: str) -> None:
    assert [(module, name) for module, name in code(folder) if within(name, "portal")] == []


@pytest.mark.parametrize("sdk", ["boto3", "botocore", "storages", "s3transfer"])
def test_only_storage_knows_s3(sdk: str) -> None:
    using = [(module, name) for folder in ("archive", "portal", "embedded") for module, name in code(folder)]

    assert [(m, name) for m, name in using if within(name, sdk) and not within(m, "archive.storage")] == []


@pytest.mark.parametrize("framework", ["django", "archive"])
def test_the_embedded_engines_know_nothing_of_the_site(framework: str) -> None:
    assert [(module, name) for module, name in code("embedded") if within(name, framework)] == []


def test_the_rule_of_the_clock_rests_on_nothing() -> None:
    found = {name.split(".")[0] for module, name in code("archive") if module == "archive.policy"}

    assert found == {"collections", "dataclasses", "datetime", "enum", "typing"}


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("archive.bundles.build", "from archive.tasks import build_bundle"),
        ("archive.bundles.build", "def f():\n    from archive import tasks"),
        ("archive.intake.ingest", "import archive.bundles.build"),
        ("archive.models.space", "from archive.log import record"),
        ("archive.policy", "from archive.models import Space"),
    ],
)
def test_a_breach_would_be_seen(module: str, source: str) -> None:
    (name,) = imports(source)

    assert breaches(module, name)
