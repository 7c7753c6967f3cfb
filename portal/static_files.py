"""Static files: which files of npm packages are served, and hashed names inside module imports."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.staticfiles.finders import BaseFinder
from django.contrib.staticfiles.utils import matches_patterns
from django.core.checks import CheckMessage
from django.core.files.storage import FileSystemStorage
from whitenoise.storage import CompressedManifestStaticFilesStorage


class VendorFinder(BaseFinder):
    """Find exactly the files of npm packages that settings.VENDOR_FILES names.

    The packages bring many more, such as source maps, plugins and other module formats, which nothing here loads.
    """

    def __init__(self, app_names: Sequence[str] | None = None, *args: Any, **kwargs: Any) -> None:
        self.files = {
            f"{prefix}/{name}": settings.NODE_MODULES / folder / name
            for prefix, (folder, names) in settings.VENDOR_FILES.items()
            for name in names
        }

    def check(self, **kwargs: Any) -> list[CheckMessage]:
        return []

    def find(self, path: str, find_all: bool = False, **kwargs: Any) -> Any:
        file = self.files.get(path)
        matches = [str(file)] if file and file.is_file() else []
        return matches if find_all else next(iter(matches), None)

    def list(self, ignore_patterns: Iterable[str] | None) -> Iterator[tuple[str, FileSystemStorage]]:
        for path, file in self.files.items():
            if file.is_file() and not matches_patterns(path, list(ignore_patterns or [])):
                yield file.name, _storage(file.parent, path.rpartition("/")[0])


def _storage(folder: Path, prefix: str) -> FileSystemStorage:
    storage = FileSystemStorage(location=folder)
    storage.prefix = prefix  # type: ignore[attr-defined]  # collectstatic reads it, as from Django's own finders
    return storage


class HashedModuleStorage(CompressedManifestStaticFilesStorage):  # type: ignore[misc]  # whitenoise has no types
    """Put hashed names into `import` and `export ... from`, too.

    Otherwise a module with a hashed name would import others by their plain names: these could not be cached for good,
    and after a deploy a new module could meet an old one from a cache.
    """

    support_js_module_import_aggregation = True
    max_post_process_passes = 20  # one for each level of imports
