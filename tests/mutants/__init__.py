"""Bugs that somebody could write, one line each, planted into a copy of the tree. The tests must catch every one.

Each is a Mutant: a file, the text that stands there once, the text that takes its place, and the tests that are asked
first. `make mutants` plants them all (ARGS="held fence" for some) and prints what became of each; tests/test_mutants.py
plants one, and sees that all of them still find their place.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Mutant:
    name: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]


MUTANTS = [
    Mutant(
        "the clock starts at the upload",
        "archive/models/space.py",
        "return policy.Facts(self.ended_at,",
        "return policy.Facts(self.created_at,",
        ("test_violations",),
    ),
    Mutant(
        "local time taken for UTC",
        "archive/policy.py",
        "end = facts.ended_at.astimezone(UTC)",
        "end = facts.ended_at.replace(tzinfo=UTC)",
        ("test_policy",),
    ),
    Mutant(
        "days counted by the calendar",
        "archive/policy.py",
        "base = end + timedelta(days=rule.retention_days)",
        "base = (end + timedelta(days=rule.retention_days)).replace(hour=0, minute=0, second=0)",
        ("test_policy",),
    ),
    Mutant(
        "a violation instead of the first 30 days",
        "archive/policy.py",
        "longest = base + timedelta(days=rule.violation_extra_days)",
        "longest = end + timedelta(days=rule.violation_extra_days)",
        ("test_policy",),
    ),
    Mutant(
        "7 days from the first lifting",
        "archive/policy.py",
        "grace = max(lifted)",
        "grace = min(lifted)",
        ("test_policy",),
    ),
    Mutant("no cap", "archive/policy.py", "if grace <= longest:", "if grace:", ("test_policy",)),
    Mutant(
        "held, and a deadline all the same", "archive/policy.py", "if facts.held:", "if not facts:", ("test_policy",)
    ),
    Mutant(
        "one lifting lifts all",
        "archive/policy.py",
        "if any(moment is None for moment in facts.lifted_at):",
        "if facts.lifted_at and all(moment is None for moment in facts.lifted_at):",
        ("test_policy",),
    ),
    Mutant(
        "hold ignored in the claim",
        "archive/models/space_queries.py",
        "| (abandoned & Q(expires_at__isnull=False))",
        "| abandoned",
        ("test_purge_due",),
    ),
    Mutant(
        "a day early",
        "archive/models/space_queries.py",
        "return Q(state__in=KEPT, expires_at__lte=moment)",
        "return Q(state__in=KEPT, expires_at__lte=moment + timedelta(days=1))",
        ("test_purge_due",),
    ),
    Mutant(
        "a day late",
        "archive/models/space_queries.py",
        "return Q(state__in=KEPT, expires_at__lte=moment)",
        "return Q(state__in=KEPT, expires_at__lte=moment - timedelta(days=1))",
        ("test_purge_due",),
    ),
    Mutant(
        "begun without looking at the deadline again",
        "archive/retention/purge.py",
        "condition=is_due(),\n",
        "condition=Q(),\n",
        ("test_purge_races",),
    ),
    Mutant(
        "per-key error ignored",
        "archive/storage/purge_prefix.py",
        "if version.key in refused:",
        "if version.key in ():",
        ("test_sweep_batches",),
    ),
    Mutant(
        "an error of the whole call ignored",
        "archive/storage/purge_prefix.py",
        "return dict.fromkeys((prefix for prefix, _ in batch), error)",
        "return {}",
        ("test_sweep_batches",),
    ),
    Mutant(
        "403 taken for gone",
        "archive/storage/s3.py",
        'raise StoreDenied("storage.answer", **answer) from error',
        'raise ObjectMissing("storage.answer", **answer) from error',
        ("test_storage_errors",),
    ),
    Mutant(
        "second listing left out",
        "archive/retention/purge.py",
        "_without(claims, failed | list_remaining(found), places)",
        "_without(claims, failed, places)",
        ("test_purge",),
    ),
    Mutant(
        "fence not checked at the burial",
        "archive/leases.py",
        "Q(pk__in=pks, fence=fence, state__in=states)",
        "Q(pk__in=pks, state__in=states)",
        ("test_sweep_batches",),
    ),
    Mutant(
        "fence not checked by a write",
        "archive/leases.py",
        "return Q(fence=self.fence, state__in=self.states)",
        "return Q(state__in=self.states)",
        ("test_leases",),
    ),
    Mutant(
        "open uploads left alone",
        "archive/storage/purge_prefix.py",
        "                bucket.abort(key, upload_id)",
        "                str(key)",
        ("test_purge",),
    ),
    Mutant(
        "old versions left alone",
        "archive/storage/s3.py",
        'return named | {"VersionId": version.version} if version.version else named',
        "return named",
        ("test_suspended_versioning",),
    ),
    Mutant(
        "what only our rows know left alone",
        "archive/storage/purge_prefix.py",
        "(*listing.versions, *unlisted.get(p, ()))",
        "tuple(listing.versions)",
        ("test_purge",),
    ),
    Mutant(
        "words of violations not scrubbed",
        "archive/retention/tombstone.py",
        "    scrub_moderation_text(spaces)\n",
        "    len(spaces)\n",
        ("test_purge_scrub",),
    ),
    Mutant(
        "a flag after the deadline",
        "archive/moderation/recompute.py",
        "if space.expires_at is not None and space.expires_at <= now:",
        "if space.expires_at is None and now is None:",
        ("test_violations_refused",),
    ),
    Mutant(
        "served by state alone",
        "archive/models/space.py",
        "return self.state == self.State.AVAILABLE and (self.expires_at is None or moment < self.expires_at)",
        "return self.state == self.State.AVAILABLE and moment is not None",
        ("test_bundle_failures",),
    ),
    Mutant(
        "gone only when the sweep was there",
        "archive/models/space.py",
        "self.expires_at is not None and self.expires_at <= moment",
        "self.expires_at is not None and self.state == self.State.DELETED",
        ("test_bundle_failures",),
    ),
    Mutant(
        "an address that outlives its Space",
        "portal/content.py",
        "lifetime = min(lifetime, until - dbtime.now())",
        "lifetime = max(lifetime, until - dbtime.now())",
        ("test_signed_addresses",),
    ),
    Mutant(
        "export parts not revoked",
        "archive/retention/purge.py",
        "            export_revocation.revoke(began)\n",
        "            len(began)\n",
        ("test_exports",),
    ),
    Mutant(
        "volumes not emptied",
        "archive/retention/purge.py",
        "[keys.prefix(space_id), *parts]",
        "[keys.prefix(space_id)]",
        ("test_exports",),
    ),
    Mutant(
        "a claim that is held is claimed again",
        "archive/leases.py",
        "(Q(lease_until=None) | Q(lease_until__lte=Now()))",
        "(Q(lease_until=None) | Q(lease_until__isnull=False))",
        ("test_leases",),
    ),
    Mutant(
        "a hold released by who placed it",
        "archive/moderation/conflicts.py",
        "if hold.placed_by_id == by.pk:",
        "if hold.placed_by_id is None:",
        ("test_holds",),
    ),
    Mutant(
        "an admin decides about their own Space",
        "archive/moderation/conflicts.py",
        "if space.host_id == by.pk else None",
        "if space.host_id is None else None",
        ("test_conflicts",),
    ),
    Mutant(
        "a role that is younger than the hold releases it",
        "archive/moderation/conflicts.py",
        "if not by.has_role_since_before(ADMINS, hold.placed_at) and",
        "if not by.is_admin and",
        ("test_conflicts",),
    ),
    Mutant(
        "an appeal on the last day",
        "archive/moderation/appeals.py",
        "if last is not None and last <= now:",
        "if last is None and now is None:",
        ("test_appeals_refused",),
    ),
    Mutant(
        "a leaf that can be taken for a node",
        "archive/transparency/verify_log.py",
        'return hashlib.sha256(b"\\0" + data).digest()',
        "return hashlib.sha256(data).digest()",
        ("test_log_proofs",),
    ),
    Mutant(
        "consistency checked for the new root only",
        "archive/transparency/verify_log.py",
        "return last == 0 and first == old_root and second == root",
        "return last == 0 and second == root",
        ("test_log_proofs",),
    ),
    Mutant(
        "an inclusion proof that is too short",
        "archive/transparency/verify_log.py",
        "return last == 0 and merged == root",
        "return merged == root or last == 0",
        ("test_log_proofs",),
    ),
    Mutant(
        "a log signature that is not compared",
        "archive/transparency/verify_log.py",
        "if not key.has_signed(self.text, signature[4:]):",
        "if not key.id == signature[:4]:",
        ("test_log_verifier",),
    ),
    Mutant(
        "a cut off last line counts",
        "archive/transparency/verify_log.py",
        'if not line.endswith(b"\\n"):',
        "if not line:",
        ("test_log_verifier",),
    ),
    Mutant(
        "lines after the last checkpoint pass",
        "archive/transparency/verify_log.py",
        "if next(lines, None) is not None:",
        'if next(lines, b"") is None:',
        ("test_log_verifier",),
    ),
    Mutant(
        "kept checkpoints are not compared",
        "archive/transparency/verify_log.py",
        "checkpoints = _compare([*own, *known])",
        "checkpoints = _compare(own)",
        ("test_log_verifier",),
    ),
    Mutant(
        "tree signed over a changed past",
        "archive/transparency/checkpoints.py",
        "if head.size > row.size or tile_store.stored_tree(head.size).root() != head.root:",
        "if head.size > row.size:",
        ("test_log_sequencer",),
    ),
    Mutant(
        "tree of a restored database signed",
        "archive/transparency/checkpoints.py",
        "if head.size > row.size or tile",
        "if tile",
        ("test_log_sequencer",),
    ),
    Mutant(
        "a checkpoint without its tiles",
        "archive/transparency/checkpoints.py",
        "tile_store.write_tiles(bucket, last.size if last else 0, row.size, claim)",
        "claim.renew()",
        ("test_log_sequencer",),
    ),
    Mutant(
        "queue emptied before the leaves are written",
        "archive/transparency/sequence.py",
        "    with transaction.atomic():\n        claim.renew()  # locks",
        '    with __import__("contextlib").nullcontext():\n        claim.renew()  # locks',
        ("test_log_killed",),
    ),
    Mutant(
        "an entry without its actor in the tree",
        "archive/log/leaf.py",
        '"actor": {"id": entry.actor_id, "kind": entry.actor_kind},',
        '"actor": {"kind": entry.actor_kind},',
        ("test_log_sequencer",),
    ),
    Mutant(
        "a witness that forgets",
        "archive/transparency/witness.py",
        '        write_durably(path, f"{checkpoint.note}{line}")\n',
        "",
        ("test_log_witness",),
    ),
    Mutant(
        "a witness that trusts the size it is given",
        "archive/transparency/witness.py",
        "if old != size:",
        "if old > size:",
        ("test_log_witness",),
    ),
    Mutant(
        "an entry left out of the tree is not noticed",
        "archive/transparency/verify.py",
        "if entry := oldest_unnumbered():",
        "if (entry := oldest_unnumbered()) == 0:",
        ("test_log_export",),
    ),
]
