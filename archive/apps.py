from django.apps import AppConfig


class ArchiveConfig(AppConfig):
    name = "archive"
    verbose_name = "Archive"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        # Both need the models. The first registers a system check, the second connects the wake-ups.
        from archive import tasks  # noqa: F401, PLC0415
        from archive.storage import checks  # noqa: F401, PLC0415
