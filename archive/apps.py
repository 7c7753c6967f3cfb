from collections.abc import Collection
from typing import Any

from django.apps import AppConfig
from django.db import models
from django.utils.translation import gettext_lazy as _


def publish(model: type[models.Model], pks: Collection[Any]) -> None:
    """Publish wake-ups. Imports the tasks late: they load the audio libraries, which most commands don't need."""
    from archive import tasks  # noqa: PLC0415

    tasks.wake(model, pks)


class ArchiveConfig(AppConfig):
    name = "archive"
    verbose_name = _("Archive")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        # Imported here because system checks and wake-ups need the loaded models.
        from archive import database_roles, wakeups  # noqa: F401, PLC0415
        from archive.storage import checks  # noqa: F401, PLC0415

        wakeups.connect(publish)
