from typing import Any

from django.conf import settings
from django.core.management.base import CommandError

from archive.management.base import Command as Base
from archive.storage import store
from archive.storage.bucket import find_faults, prepare_bucket, rehearse
from archive.storage.capabilities import try_copying


class Command(Base):
    help = "Create the bucket if needed, set its CORS rules, and refuse a bucket that can't delete objects for good."

    def run(self, **options: Any) -> None:
        created = prepare_bucket(store(), settings.SITE_URL)
        if faults := find_faults(store()):
            raise CommandError(f"The bucket {store().bucket} can't be used: {'; '.join(faults)}.")
        rehearse(store())
        copies = try_copying(store())
        text = f"The bucket {store().bucket} {'was created' if created else 'is ready'}."
        if not copies:
            text += " The store can't copy parts of objects, so workers will download recordings to build bundles."
        self.print_result(
            text, {"bucket": store().bucket, "made": created, "copies_parts": copies}, as_json=options["json"]
        )
