"""A pytest plugin that runs the archive's own tests without the site (`make test-archive`).

It excludes what needs the site: test files that import `portal`, request its pages or take messages from its Celery app
(tests/faults/worker.py), and tests that use a browser, a client or the site's processes. Other tests with processes are
excluded by their tier, because those processes are the site's web server, workers and commands.
"""

import re
from pathlib import Path

import pytest

SITE_HELPERS = "(http_clients|api_client|browser_sessions|checkout)"
IMPORTS_SITE = re.compile(
    rf"^\s*(from|import) (portal|allauth|schemathesis|tests\.support\.{SITE_HELPERS}|tests\.faults\.worker)\b"
    rf"|^from tests\.support import .*\b{SITE_HELPERS}\b",
    re.MULTILINE,
)
SITE_FIXTURES = {"client", "chromium", "services"}


@pytest.hookimpl(tryfirst=True)
def pytest_ignore_collect(collection_path: Path) -> bool | None:
    if collection_path.match("test_*.py") and IMPORTS_SITE.search(collection_path.read_text()):
        return True
    return None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    site = [item for item in items if SITE_FIXTURES & set(getattr(item, "fixturenames", ()))]
    if site:
        config.hook.pytest_deselected(items=site)
        items[:] = [item for item in items if item not in site]
