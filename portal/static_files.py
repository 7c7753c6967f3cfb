"""Static files: select files of npm packages, minify our own files, and put hashed names into module imports."""

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

    The packages contain many others that we don't load, such as source maps, plugins and other module formats.
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
# Files that are bundled with all their imports, because every page or list needs them: one request, and better
# compression. Modules that others import too are then loaded twice, so they must have no state.
JOINED = {f"portal/core/{name}" for name in ("site.css", "site.js", "row-download.js", "choose.js", "htmx-parts.js")}
# Modules that these import dynamically, so they are not bundled.
LATER = ("row-download.js", "htmx-parts.js")
ESBUILD = ("--minify", "--charset=utf8", "--target=es2022", "--log-level=warning", "--allow-overwrite")


class HashedModuleStorage(CompressedManifestStaticFilesStorage):  # type: ignore[misc]  # whitenoise has no types
    """Minify our own scripts and style sheets, and put hashed names into `import` and `export ... from`, too.

    Other modules stay separate: pages share them in the browser's cache, and a change of one does not invalidate the
    others.

    Otherwise a module with a hashed name would import others by their plain names: these could not be cached forever,
    and after a deployment a new module could import an old one from a cache.
    """

    support_js_module_import_aggregation = True
    max_post_process_passes = 20  # one for each level of imports

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._urls: dict[str, str] = {}

    def url(self, name: str, force: bool = False) -> str:
        """Return the URL of a file, cached: it never changes while a process runs, and a list needs some a hundred
        times."""
        if settings.DEBUG or force:
            return str(super().url(name, force))
        if name not in self._urls:
            self._urls[name] = str(super().url(name))
        return self._urls[name]

    def post_process(self, paths: dict[str, Any], dry_run: bool = False, **options: Any) -> Iterator[Any]:
        ours = [path for path in paths if path.startswith(OURS) and path.endswith((".js", ".css"))]
        if ours and not dry_run:
            for name in ours:  # again, if collectstatic ran before: the result must not depend on that
                storage, path = paths[name]
                Path(self.path(name)).write_bytes(Path(storage.path(path)).read_bytes())
            later = [f"--external:./{name}" for name in LATER]
            self._minify([path for path in ours if path in JOINED], "--bundle", "--format=esm", *later)
            self._minify([path for path in ours if path not in JOINED])
        smaller = {path: (self, path) for path in ours}  # not the sources, which it would read otherwise
        yield from super().post_process(paths | smaller, dry_run, **options)
        self._urls.clear()

    def _minify(self, paths: Sequence[str], *options: str) -> None:
        """Minify files. Raises ImproperlyConfigured without esbuild, CalledProcessError for an invalid script or style
        sheet."""
        if not paths:
            return
        program = next((settings.NODE_MODULES / "@esbuild").glob("*/bin/esbuild"), None)
        if program is None:
            raise ImproperlyConfigured("esbuild is missing. `npm ci --omit=dev` installs it.")
        command = [str(program), *paths, *ESBUILD, *options, "--outdir=.", "--outbase=."]
        subprocess.run(command, cwd=self.location, check=True, timeout=60)
