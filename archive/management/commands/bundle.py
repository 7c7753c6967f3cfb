import time
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from archive.bundles.build import build, request
from archive.content_access import Kind, record_access
from archive.log import SYSTEM
from archive.management.base import Command as Base
from archive.management.base import find_space
from archive.models import Bundle
from archive.storage import store

BLOCK = 8 * 1024**2


class Command(Base):
    help = "Build the bundle of a Space, or find the one that exists; with --out, download it."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("space", metavar="SPACE", help="the Space's id")
        parser.add_argument("--out", type=Path, metavar="FILE", help="where to write the ZIP")

    def run(self, **options: Any) -> None:
        bundle = request(find_space(options["space"]).id, SYSTEM)
        while bundle.state in (Bundle.State.REQUESTED, Bundle.State.BUILDING):
            if not build(bundle.id):
                time.sleep(0.5)  # a worker has the lease, or the bundle waits for its next attempt
            bundle.refresh_from_db()
        if bundle.state != Bundle.State.READY:
            raise CommandError(
                f"The bundle could not be built: {bundle.problem_text} Nothing was lost. Run the command again when "
                "the reason has passed."
            )
        if options["out"]:
            record_access(Kind.DOWNLOADED, [bundle.space], None, key=bundle.key)
            try:
                _download(bundle, options["out"])
            except OSError as error:
                raise CommandError(f"{options['out']} can't be written: {error.strerror}.") from error
        facts = {"id": str(bundle.id), "name": bundle.name, "size": bundle.size, "key": bundle.key}
        self.print_result(f"{bundle.id} {bundle.name} {bundle.size} bytes", facts, as_json=options["json"])


def _download(bundle: Bundle, out: Path) -> None:
    """Download to a temporary name, then rename, so the file is never partial."""
    assert bundle.size is not None
    part = out.with_name(out.name + ".part")
    try:
        with part.open("wb") as file:
            for start in range(0, bundle.size, BLOCK):
                file.write(store().read(bundle.key, start, min(BLOCK, bundle.size - start), bundle.etag))
        part.replace(out)
    finally:
        part.unlink(missing_ok=True)
