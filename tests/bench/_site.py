"""The real engines and an empty site on them, for measures that need them. Import nothing of Django before."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import django
from django.core.management import call_command

from embedded.engines import Engines
from embedded.reaper import no_process_left
from tests import plugin

ORIGIN = "http://127.0.0.1:8000"


def use_durable_database() -> None:
    """Let the next `site` write each commit to disk, as in production. The tests' engines do not."""
    plugin.engines = Engines(plugin.DATA)


@contextmanager
def site(**settings: str) -> Iterator[Path]:
    """Yield a folder for the measure's files, on the same disk as the engines' data. `settings`: environment
    variables."""
    with no_process_left(plugin.stop):
        plugin.start()
        os.environ.update(settings, LEASE_SECONDS=settings.get("LEASE_SECONDS", "600"))
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
        os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")  # Playwright runs an event loop in this thread
        django.setup()
        call_command("migrate", verbosity=0)
        call_command("createcachetable", verbosity=0)
        call_command("collectstatic", interactive=False, verbosity=0)
        from archive.storage import store  # needs the settings, as all of Django does
        from archive.storage.bucket import prepare_bucket

        prepare_bucket(store(), ORIGIN)
        with tempfile.TemporaryDirectory(dir=plugin.DATA) as folder:
            yield Path(folder)
