from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser

from archive import formatting
from archive.management.base import Command as Base
from archive.transparency.export import stream_export
from archive.transparency.verify_log import Invalid


class Command(Base):
    help = "Write the whole retention log to a ZIP that anybody can verify, up to its newest checkpoint."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("file", type=Path, metavar="FILE", help="where to write the ZIP")

    def run(self, **options: Any) -> None:
        path: Path = options["file"]
        partial = path.with_name(f"{path.name}.part")
        try:
            with partial.open("wb") as file:
                for data in stream_export():
                    file.write(data)
            partial.replace(path)
        except OSError as error:
            raise CommandError(f"{path} can't be written: {error.strerror}.") from error
        except Invalid as error:
            raise CommandError(
                f"{error} Nothing was exported. The worker that deletes signs a checkpoint at least every "
                f"{settings.LOG_CHECKPOINT_SECONDS} seconds while there are new entries."
            ) from error
        finally:
            partial.unlink(missing_ok=True)
        size = path.stat().st_size
        facts = {"file": str(path), "bytes": size}
        self.print_result(f"{path}: {formatting.format_size(size)}", facts, as_json=options["json"])
