from uuid import UUID

from django.conf import settings
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from archive import language_tags
from archive.errors import Problem, make_problem
from archive.models.compiled_query import CompiledQuery
from archive.models.space import Space


class StoredObject(models.Model):
    """An object in the store, with the checksums of the bytes that were stored."""

    key = models.CharField(max_length=200, unique=True)
    size = models.PositiveBigIntegerField(help_text="Bytes.")
    sha256 = models.CharField(max_length=64, help_text="SHA-256 of the whole object, lower-case hex.")
    crc32 = models.PositiveBigIntegerField(help_text="CRC-32 of the whole object (ISO 3309, as in ZIP).")
    etag = models.CharField(max_length=100, help_text="As the store returned it: copies are conditional on it.")
    created_at = models.DateTimeField(auto_now_add=True)
    missing_at = models.DateTimeField(null=True, blank=True, help_text="When it was found missing from the store.")

    class Meta:
        abstract = True
        constraints = [
            models.CheckConstraint(name="%(class)s_size_positive", condition=Q(size__gt=0)),
            models.CheckConstraint(name="%(class)s_sha256_hex", condition=Q(sha256__regex=r"^[0-9a-f]{64}$")),
            models.CheckConstraint(name="%(class)s_crc32_32_bits", condition=Q(crc32__lt=2**32)),
        ]


class Recording(StoredObject):
    """The original bytes of a Space's recording. Format and length come from decoding it."""

    space = models.ForeignKey(Space, on_delete=models.CASCADE, related_name="recordings")
    number = models.PositiveSmallIntegerField(default=1)
    extension = models.CharField(max_length=8)
    content_type = models.CharField(max_length=64)
    codec = models.CharField(max_length=32)
    duration_ms = models.PositiveBigIntegerField(help_text="Decoded length in milliseconds.")
    sample_rate = models.PositiveIntegerField(help_text="Hz.")
    channels = models.PositiveSmallIntegerField()
    peak_dbfs = models.FloatField(null=True, help_text="Loudest sample against full scale; NULL for digital silence.")
    level_dbfs = models.FloatField(null=True, help_text="RMS against full scale; NULL for digital silence.")
    silent_ms = models.PositiveBigIntegerField(default=0, help_text="Milliseconds of silence in it.")
    outline = models.JSONField(default=list, blank=True, help_text="Loudness in at most 100 steps, each 0 to 100.")
    notes = models.JSONField(default=list, blank=True, help_text="Unusual findings: [{code, params}].")
    chapters = models.JSONField(default=list, blank=True, help_text="The file's chapters: [{start_ms, title}].")

    class Meta(StoredObject.Meta):
        ordering = ["number"]
        constraints = [
            *StoredObject.Meta.constraints,
            models.UniqueConstraint(name="recording_numbered", fields=["space", "number"]),
            models.CheckConstraint(name="recording_has_length", condition=Q(duration_ms__gt=0)),
        ]

    def __str__(self) -> str:
        return self.key

    def list_notes(self) -> list[Problem]:
        """Return what was unusual about the recording, and, if there is an access copy, the reason for it."""
        copy = _ACCESS_COPY.first(self.space_id)
        return [*self.notes, *describe_copy(copy.reason if copy else "")]


class Transcript(StoredObject):
    """A version of a transcript. The object is WebVTT; `cues` has the same lines for pages, search and other formats.

    `cues` is a list of {"start_ms": int, "end_ms": int, "speaker": str, "text": str} in order of time. An edit adds a
    version, with the source of the edited one. Versions never change.
    """

    class Source(models.TextChoices):
        GIVEN = "given", _("uploaded")
        AUTOMATIC = "automatic", _("automatic")

    space = models.ForeignKey(Space, on_delete=models.CASCADE, related_name="transcripts")
    number = models.PositiveSmallIntegerField(default=1)
    language = models.CharField(max_length=language_tags.MAX_LENGTH, help_text="BCP 47; `und` if unknown.")
    source = models.CharField(max_length=16, choices=Source, default=Source.GIVEN)
    edited_from = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text="The number of the version that the host edited; none: it is not an edit."
    )
    cues = models.JSONField()
    line_count = models.GeneratedField(
        expression=models.Func("cues", function="jsonb_array_length"),
        output_field=models.PositiveIntegerField(),
        db_persist=True,
    )
    notes = models.JSONField(default=list, blank=True, help_text="Repairs: [{code, params}].")
    uploaded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text="The user who uploaded or edited it; none: a recorder, a command, or the archive made it.",
    )

    class Meta(StoredObject.Meta):
        ordering = ["number"]
        constraints = [
            *StoredObject.Meta.constraints,
            models.UniqueConstraint(name="transcript_numbered", fields=["space", "number"]),
        ]

    def __str__(self) -> str:
        return self.key


class Derived(StoredObject):
    """A file that was derived from a recording, and can be derived again."""

    class Kind(models.TextChoices):
        PEAKS = "peaks", _("waveform")
        ACCESS_COPY = "access-copy", _("copy for browsers")

    MAX_PEAKS_BYTES = 1024**2  # larger waveforms are not read into memory

    space = models.ForeignKey(Space, on_delete=models.CASCADE, related_name="derived")
    kind = models.CharField(max_length=16, choices=Kind)
    content_type = models.CharField(max_length=64)
    reason = models.CharField(
        max_length=32, blank=True, default="", help_text="Why an access copy was made: a code of reasons.py."
    )

    class Meta(StoredObject.Meta):
        constraints = [
            *StoredObject.Meta.constraints,
            models.CheckConstraint(name="derived_kind_known", condition=Q(kind__in=["peaks", "access-copy"])),
            models.UniqueConstraint(name="derived_once", fields=["space", "kind"]),
        ]

    def __str__(self) -> str:
        return self.key


def describe_copy(reason: str) -> list[Problem]:
    """Return the note about an access copy made for `reason`; none if there is no reason."""
    return [make_problem("audio.copy", reason={"code": reason, "params": {}})] if reason else []


_ACCESS_COPY = CompiledQuery(
    lambda space_id: Derived.objects.filter(space=space_id, kind=Derived.Kind.ACCESS_COPY)[:1], UUID
)


class SearchLine(models.Model):
    """The search index of one line of a Space's newest transcript (archive/search). Its text is in `Transcript.cues`;
    older transcripts of the Space are not indexed."""

    transcript = models.ForeignKey(Transcript, on_delete=models.CASCADE, related_name="lines")
    space = models.ForeignKey(Space, on_delete=models.CASCADE, related_name="+")
    number = models.PositiveIntegerField(help_text="Its index in Transcript.cues, from 0.")
    config = models.CharField(max_length=32, help_text="PostgreSQL's text search configuration for its language.")
    vector = SearchVectorField()

    class Meta:
        constraints = [models.UniqueConstraint(name="search_line_numbered", fields=["transcript", "number"])]
        indexes = [GinIndex(name="search_line_vector", fields=["vector"])]

    def __str__(self) -> str:
        return f"{self.transcript_id}/{self.number}"
