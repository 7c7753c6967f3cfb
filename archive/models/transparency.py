"""The Merkle tree over the retention log (archive/transparency/)."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from archive.models.leased import Leased


class LogQueue(models.Model):
    """Entries of the log without an index in the tree. A trigger adds each entry in the transaction of its insertion.

    The table has no index, not even the primary key that Django assumes, to keep inserts cheap (migrations/0002).
    Nothing looks up a row by its number.
    """

    entry_id = models.BigIntegerField(primary_key=True)

    def __str__(self) -> str:
        return f"entry {self.entry_id} waits for its index"


class LogLeaf(models.Model):
    """The place of an entry in the tree. Append-only: triggers refuse UPDATE, DELETE and TRUNCATE."""

    index = models.BigIntegerField(primary_key=True, help_text="Counts from 0, without gaps.")
    entry_id = models.BigIntegerField(unique=True)
    hash = models.BinaryField(max_length=32, help_text="SHA-256, RFC 6962, of the entry's canonical JSON.")

    class Meta:
        constraints = [models.CheckConstraint(name="log_leaf_index_from_0", condition=Q(index__gte=0))]

    def __str__(self) -> str:
        return f"leaf {self.index}: entry {self.entry_id}"


class LogNode(models.Model):
    """A hash of a tile above level 0: the root of a full tile of the level below. Append-only, as LogLeaf."""

    level = models.PositiveSmallIntegerField(help_text="From 1.")
    index = models.BigIntegerField(help_text="Counts from 0 within its level, without gaps.")
    hash = models.BinaryField(max_length=32)

    class Meta:
        constraints = [
            models.UniqueConstraint(name="log_node_once", fields=["level", "index"]),
            models.CheckConstraint(name="log_node_level_from_1", condition=Q(level__gte=1)),
        ]

    def __str__(self) -> str:
        return f"node {self.level}/{self.index}"


class LogCheckpoint(models.Model):
    """A signed head of the tree (c2sp.org/tlog-checkpoint). Append-only, as LogLeaf.

    Several may have the same size: one is signed each day even without new entries.
    """

    size = models.BigIntegerField(help_text="Number of leaves.")
    note = models.TextField(help_text="The signed note, as it was published.")
    signed_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        indexes = [models.Index(name="log_checkpoint_by_size", fields=["size", "id"])]
        constraints = [models.CheckConstraint(name="log_checkpoint_size_from_0", condition=Q(size__gte=0))]

    def __str__(self) -> str:
        return f"checkpoint of {self.size} entries"


class LogCosignature(models.Model):
    """The signature of a witness (c2sp.org/tlog-cosignature) under a checkpoint. Append-only, as LogLeaf."""

    checkpoint = models.ForeignKey(LogCheckpoint, models.PROTECT, related_name="cosignatures")
    witness = models.CharField(max_length=200, help_text="The name of the witness's key.")
    line = models.TextField()
    at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [models.UniqueConstraint(name="log_cosignature_once", fields=["checkpoint", "witness"])]

    def __str__(self) -> str:
        return f"{self.witness} cosigned {self.checkpoint}"


class SigningKeyEvent(models.Model):
    """The addition or retirement of a signing key (archive/signing_keys.py). Append-only, so each happens once."""

    class Kind(models.TextChoices):
        LOG = "log", _("checkpoints of the log")
        CERTIFICATE = "certificate", _("certificates of deletion")

    class Change(models.TextChoices):
        ADDED = "added", _("added")
        RETIRED = "retired", _("retired")

    kind = models.CharField(max_length=16, choices=Kind)
    change = models.CharField(max_length=16, choices=Change)
    public = models.BinaryField(max_length=32, help_text="The public key (Ed25519), raw.")
    endorsement = models.BinaryField(max_length=64, default=b"", help_text="Signature of an earlier key, or empty.")
    at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(name="signing_key_event_once", fields=["kind", "public", "change"]),
            models.CheckConstraint(name="signing_key_kind_known", condition=Q(kind__in=["log", "certificate"])),
            models.CheckConstraint(name="signing_key_change_known", condition=Q(change__in=["added", "retired"])),
        ]

    def __str__(self) -> str:
        return f"key of {self.kind} {self.change}"


class LogSequencer(Leased):
    """Progress of the sequencer (archive/transparency/sequence.py). A single row."""

    state = models.CharField(max_length=16, default="sequencing")
    size = models.BigIntegerField(default=0, help_text="Leaves that have an index.")
    frontier = models.BinaryField(default=b"", help_text="Hashes of the complete subtrees, the largest first.")
    tiled = models.BigIntegerField(default=0, help_text="Leaves whose tiles were written to the store.")
    checked_id = models.BigIntegerField(default=0, help_text="All entries up to this number have an index.")
    published_id = models.BigIntegerField(null=True, help_text="The last checkpoint that was written to the store.")
    published_cosignatures = models.PositiveIntegerField(
        default=0, db_default=0, help_text="Number of entries written with it."
    )

    def __str__(self) -> str:
        return f"{self.size} entries have an index"


class LogVerification(Leased):
    """A verification of the whole log, requested on the page of its proof."""

    class State(models.TextChoices):
        PENDING = "pending", _("pending")
        DONE = "done", _("done")

    state = models.CharField(max_length=16, choices=State, default=State.PENDING)
    requested_by = models.BigIntegerField(help_text="The account's id; no foreign key, as in the log.")
    requested_at = models.DateTimeField(db_default=Now(), editable=False)
    finished_at = models.DateTimeField(null=True)
    code = models.CharField(
        max_length=40, blank=True, help_text="A code of VERDICTS in archive/transparency/verify_log.py."
    )
    values = models.JSONField(default=dict, help_text="Parameters of the verdict's sentence.")
    done = models.BigIntegerField(default=0, help_text="Entries verified so far.")
    total = models.BigIntegerField(default=0, help_text="Entries of the log when the last run began.")
    progress = models.JSONField(
        default=dict, help_text="The state from which the next run continues (verify_log.verify_export)."
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="log_verification_one_pending", fields=["state"], condition=Q(state="pending")
            ),
            models.CheckConstraint(name="log_verification_state_known", condition=Q(state__in=["pending", "done"])),
            models.CheckConstraint(
                name="log_verification_done_has_verdict",
                condition=Q(state="pending") | (~Q(code="") & Q(finished_at__isnull=False)),
            ),
        ]

    def __str__(self) -> str:
        return f"verification {self.pk}: {self.code or self.state}"
