from typing import Any

from django.conf import settings
from django.core.management.base import CommandError

from archive.management.base import Command as Base
from archive.storage import store
from archive.storage.capabilities import try_copying
from archive.storage.setup import find_faults, prepare_bucket, rehearse


class Command(Base):
    help = "Make the bucket if it is not there, let the portal's pages use it, and refuse one that would not let go."

    def run(self, **options: Any) -> None:
        made = prepare_bucket(store(), settings.SITE_URL)
        if found := find_faults(store()):
            raise CommandError(f"The bucket {store().bucket} can't be used: {'; '.join(found)}.")
        rehearse(store())
        copies = try_copying(store())
        words = f"The bucket {store().bucket} {'was made' if made else 'is ready'}."
        if not copies:
            words += " The store can't copy parts of objects, so recordings will travel through workers into bundles."
        self.say(words, {"bucket": store().bucket, "made": made, "copies_parts": copies}, as_json=options["json"])
