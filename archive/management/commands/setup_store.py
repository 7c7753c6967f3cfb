from typing import Any

from django.conf import settings
from django.core.management.base import CommandError

from archive.errors import StorageError
from archive.management.base import Command as Base
from archive.storage import rehearsal, store, trials
from archive.storage.bucket import prepare_bucket
from archive.storage.remedies import remedy_for
from archive.storage.trials import Outcome

SIGNS = {Outcome.WORKS: "works", Outcome.FALLBACK: "other way", Outcome.FAULT: "FAILED"}


class Command(Base):
    help = "Create the bucket if needed, set its CORS rules, and try everything that Spacekeep needs of the store."

    def run(self, **options: Any) -> None:
        try:
            created = prepare_bucket(store(), settings.SITE_URL)
            report = rehearsal.run(store())
        except StorageError as error:
            raise CommandError(f"{error} {remedy_for(error)} Nothing was lost.") from error
        trial = {trial.name: trial for trial in trials.ALL}
        lines = []
        for finding in report.findings:
            lines.append(f"  {SIGNS[finding.outcome]:9}  {trial[finding.name].label}")
            if finding.outcome != Outcome.WORKS:
                lines.append(f"             {finding.problem}")
            if finding.outcome == Outcome.FALLBACK:
                lines.append(f"             so {trial[finding.name].fallback}")
        facts = {
            "bucket": store().bucket,
            "created": created,
            "usable": not report.faults,
            "findings": [finding.as_json() for finding in report.findings],
            **report.capabilities.as_json(),
        }
        state = "was created" if created else "is ready"
        if report.faults:
            state = "can't be used"
        text = "\n".join([*lines, f"The bucket {store().bucket} {state}."])
        self.print_result(text, facts, as_json=options["json"])
        if report.faults:
            first = report.faults[0]
            raise CommandError(f"The bucket {store().bucket} can't be used: {trial[first.name].label}: {first.problem}")
