from dataclasses import asdict
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError

from archive.errors import StorageError
from archive.management.base import Command as Base
from archive.storage import locked, rehearsal, store, trials
from archive.storage.bucket import prepare_bucket
from archive.storage.remedies import remedy_for
from archive.storage.s3 import backend
from archive.storage.trials import Finding, Outcome
from archive.transparency import second_bucket

SIGNS = {Outcome.WORKS: "works", Outcome.FALLBACK: "other way", Outcome.FAULT: "FAILED"}


class Command(Base):
    help = "Create the bucket if needed, set its CORS rules, and try everything that Spacekeep needs of the store."

    # Messages about the log's second bucket, by its observed behavior.
    NOT_LOCKED = {
        "no_lock": "WARNING: it has no object lock, so anybody with its credentials can delete checkpoints.",
        "broken_lock": "WARNING: it claims to have object lock, but a locked object was deleted or replaced.",
        "bypassed": "WARNING: these credentials may bypass its lock; use LOG_LOCK_MODE=COMPLIANCE, or others.",
        "overwrites": "It ignores If-None-Match, so what lies at a key is compared before it is written.",
    }

    def run(self, **options: Any) -> None:
        try:
            created = prepare_bucket(store(), settings.SITE_URL)
            report = rehearsal.run(store())
        except StorageError as error:
            cause = {"problem": str(error), "remedy": remedy_for(error)}
            if options["json"]:
                self.print_result("", {"bucket": store().bucket, "usable": False, **cause}, as_json=True)
            raise CommandError(f"{cause['problem']} {cause['remedy']} Nothing was lost.") from error
        trial = {trial.name: trial for trial in trials.ALL}
        lines = []
        for finding in report.findings:
            lines.append(f"  {SIGNS[finding.outcome]:9}  {trial[finding.name].label}")
            if finding.outcome != Outcome.WORKS:
                lines.append(f"             {finding.problem_text}")
            if finding.outcome == Outcome.FALLBACK:
                lines.append(f"             so {trial[finding.name].fallback}")
        facts = {
            "bucket": store().bucket,
            "created": created,
            "usable": not report.faults,
            "problem": "",
            "remedy": "",
            "findings": [finding.as_json() for finding in report.findings],
            **report.capabilities.as_json(),
        }
        state = "was created" if created else "is ready"
        first = report.faults[0] if report.faults else None
        if first:
            state = "can't be used"
            facts |= {"problem": first.problem_text, "remedy": first.remedy}
        lines += [self._warning(finding) for finding in report.findings if finding.name == "cors" and finding.problem]
        text = "\n".join([*lines, f"The bucket {store().bucket} {state}."])
        if second_bucket.is_configured():
            more, facts["second_bucket"] = self._second_bucket()
            text = f"{text}\n{more}"
        self.print_result(text, facts, as_json=options["json"])
        if first:
            tried = "" if first.name == "no_versioning" else f"{trial[first.name].label}: "
            raise CommandError(f"The bucket {store().bucket} can't be used: {tried}{first.problem_text} {first.remedy}")

    def _warning(self, finding: Finding) -> str:
        address = backend("public").endpoint_url
        return f"WARNING: browsers can't upload to {address}: {finding.problem_text} {finding.remedy}"

    def _second_bucket(self) -> tuple[str, dict[str, Any]]:
        """Prepare the bucket and rehearse its lock. A problem with it must not keep anything else from starting."""
        bucket = second_bucket.bucket()
        try:
            created = locked.prepare(bucket)
            report = locked.rehearse(bucket, settings.LOG_LOCK_MODE)
        except StorageError as error:
            problem = f"WARNING: the log's second bucket {settings.LOG_BUCKET} can't be used now: {error}"
            return problem, {"bucket": settings.LOG_BUCKET, "problem": str(error)}
        text = f"The log's second bucket {bucket.bucket} {'was created' if created else 'is ready'}."
        if report.is_safe:
            text += f" Each checkpoint is locked for {settings.LOG_LOCK_DAYS} days ({settings.LOG_LOCK_MODE})."
        elif not report.has_lock:
            text += f" {self.NOT_LOCKED['no_lock']}"
        else:
            text += f" {self.NOT_LOCKED['bypassed' if report.keeps_locked else 'broken_lock']}"
        if not report.refuses_overwriting:
            text += f" {self.NOT_LOCKED['overwrites']}"
        return text, {"bucket": bucket.bucket, "made": created, **asdict(report), "is_safe": report.is_safe}
