"""Static files: which files of npm packages are served, smaller ones of ours, hashed names inside module imports."""

import subprocess
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.staticfiles.finders import BaseFinder
from django.contrib.staticfiles.utils import matches_patterns
from django.core.checks import CheckMessage
from django.core.exceptions import ImproperlyConfigured
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


OURS = ("archive/", "portal/")
# Files with all that they import, since every page or list needs them: one request, and it compresses better. Modules
# that others import too are then there twice, so they hold no state.
JOINED = {f"portal/core/{name}" for name in ("site.css", "site.js", "row-download.js", "choose.js", "htmx-parts.js")}
# Those of them that others import when they need them, so not a part of these.
LATER = ("row-download.js", "htmx-parts.js")
ESBUILD = ("--minify", "--charset=utf8", "--target=es2022", "--log-level=warning", "--allow-overwrite")


class HashedModuleStorage(CompressedManifestStaticFilesStorage):  # type: ignore[misc]  # whitenoise has no types
    """Make our own scripts and style sheets smaller, and put hashed names into `import` and `export ... from`, too.

    Other modules stay apart: pages share them in the browser's cache, and a change of one leaves the others there.

    Otherwise a module with a hashed name would import others by their plain names: these could not be cached for good,
    and after a deploy a new module could meet an old one from a cache.
    """

    support_js_module_import_aggregation = True
    max_post_process_passes = 20  # one for each level of imports

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._urls: dict[str, str] = {}

    def url(self, name: str, force: bool = False) -> str:
        """The address of a file. It stays the same while a process runs, and a list asks for some a hundred times."""
        if settings.DEBUG or force:
            return str(super().url(name, force))
        if name not in self._urls:
            self._urls[name] = str(super().url(name))
        return self._urls[name]

    def post_process(self, paths: dict[str, Any], dry_run: bool = False, **options: Any) -> Iterator[Any]:
        ours = [path for path in paths if path.startswith(OURS) and path.endswith((".js", ".css"))]
        if ours and not dry_run:
            for name in ours:  # again, if collectstatic was run before: what is made must not depend on that
                storage, path = paths[name]
                Path(self.path(name)).write_bytes(Path(storage.path(path)).read_bytes())
            later = [f"--external:./{name}" for name in LATER]
            self._minify([path for path in ours if path in JOINED], "--bundle", "--format=esm", *later)
            self._minify([path for path in ours if path not in JOINED])
        smaller = {path: (self, path) for path in ours}  # not the sources, which it would read otherwise
        yield from super().post_process(paths | smaller, dry_run, **options)
        self._urls.clear()

    def _minify(self, paths: Sequence[str], *options: str) -> None:
        """Replace files by smaller ones. Raises ImproperlyConfigured without esbuild, CalledProcessError for a file
        that is no valid script or style sheet."""
        if not paths:
            return
        program = next((settings.NODE_MODULES / "@esbuild").glob("*/bin/esbuild"), None)
        if program is None:
            raise ImproperlyConfigured("esbuild is missing. `npm ci --omit=dev` installs it.")
        command = [str(program), *paths, *ESBUILD, *options, "--outdir=.", "--outbase=."]
        subprocess.run(command, cwd=self.location, check=True, timeout=60)
