"""JSON schemas of requests and responses. Requests are strict: unknown fields are refused, and types are not
converted."""

import re
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from ninja import Schema
from pydantic import AfterValidator, AwareDatetime, BeforeValidator, ConfigDict, Field, StrictBool, StrictInt, StrictStr

from archive import language_tags
from archive.bundles.exports import MOST_SPACES
from archive.error_messages import render
from archive.errors import Problem
from archive.models import Bundle, ExportPart, Leased, Space, Transcription, UploadSession
from archive.models.space import MAX_COHOSTS, MAX_SPEAKERS

RFC_3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)")
SIGNED_AT_ONCE = 50
MOST_PARTS = 10_000
BASE64_SHA256 = r"^[A-Za-z0-9+/]{43}=$"


def _text(value: str) -> str:
    if "\x00" in value or any("\ud800" <= letter <= "\udfff" for letter in value):
        raise ValueError("it has characters that are no text (NUL, or half of a pair)")
    return value


def _named(value: str) -> str:
    if not value.strip():
        raise ValueError("it is empty")
    return value


def _moment(value: Any) -> Any:
    if not isinstance(value, str) or not RFC_3339.fullmatch(value):
        raise ValueError("it is no time with its zone, such as 2026-11-22T14:05:00Z or 2026-11-22T15:05:00+01:00")
    return value


# These patterns are for OpenAPI; the validators give better errors. \s differs between languages of clients, so the
# patterns list what str.strip removes.
BLANK = r"\x09-\x0d\x1c-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
NO_NUL = Field(json_schema_extra={"pattern": r"^[^\x00]*$"})
NOT_BLANK = Field(json_schema_extra={"pattern": rf"^[^\x00]*[^\x00{BLANK}][^\x00]*$"})
Text = Annotated[StrictStr, AfterValidator(_text), NO_NUL]
Name = Annotated[Text, Field(min_length=1, max_length=100), AfterValidator(_named), NOT_BLANK]
LanguageTag = Annotated[StrictStr, Field(max_length=language_tags.MAX_LENGTH, pattern=language_tags.PATTERN.pattern)]
Moment = Annotated[AwareDatetime, BeforeValidator(_moment)]
Count = Annotated[StrictInt, Field(ge=0, lt=2**63)]
PartNumber = Annotated[StrictInt, Field(ge=1, le=MOST_PARTS)]


def refuse_other_keys(schema: dict[str, Any]) -> None:
    """Declare in the schema of a dict that keys that don't match the pattern are refused, as the server does: JSON
    Schema allows them by default. For `json_schema_extra` of a field."""
    schema["additionalProperties"] = False


def _problem(row: Leased) -> dict[str, Any]:
    """Return why the last attempt failed, or why it was refused: the sentence, and the code for programs."""
    return {"problem": row.problem_text, "problem_code": row.problem_code}


class In(Schema):
    model_config = ConfigDict(extra="forbid")


class Person(In):
    """A participant. `account`: their user name here, which lets them download their own lines. The response does not
    reveal whether this account exists."""

    name: Name
    account: Annotated[Text, Field(max_length=150)] | None = None


class SpaceIn(In):
    title: Annotated[Text, Field(max_length=300)] = ""
    host: Annotated[Text, Field(min_length=1, max_length=150)] | None = Field(
        None, description="User name. A recorder must name it; with a session it is yourself, unless you are an admin."
    )
    host_name: Name | None = Field(
        None, description="The host's name in the transcript, if it is not their display name."
    )
    ended_at: Moment = Field(description="When the live Space ended: the deadline counts from here.")
    audience: Literal["", "everyone", "followed", "invited"] = ""
    cohosts: list[Name | Person] = Field(default=[], max_length=MAX_COHOSTS)
    speakers: list[Name | Person] = Field(default=[], max_length=MAX_SPEAKERS)
    listeners_peak: Count | None = None
    listeners_total: Count | None = None
    transcribe: StrictBool = Field(False, description="Create an automatic transcript if none is uploaded.")


class UploadIn(In):
    kind: Literal["recording", "transcript"]
    name: Annotated[Text, Field(min_length=1, max_length=255)] = Field(description="The file's name.")
    size: Annotated[StrictInt, Field(ge=1, lt=2**63)] = Field(description="Bytes.")
    sha256: Annotated[StrictStr, Field(pattern=r"^[0-9a-f]{64}$")] | None = Field(
        None, description="Of the whole file (hex). With it, a file with other bytes is refused."
    )
    language: LanguageTag = "und"
    speaker_names: dict[Name, Name] = Field(
        default={},
        max_length=200,
        description="Of a transcript: new names of speakers by those in the file. They make a second version; the "
        "first one is as the file. A name that another speaker has is not given.",
        json_schema_extra=refuse_other_keys,
    )


class PartIn(In):
    number: PartNumber
    sha256: Annotated[StrictStr, Field(pattern=BASE64_SHA256)] | None = Field(
        None, description="Of the part (base64). With it, the store takes no other bytes."
    )


class PartsIn(In):
    parts: list[PartIn] = Field(min_length=1, max_length=SIGNED_AT_ONCE)


class PartDone(In):
    number: PartNumber
    etag: Annotated[Text, Field(min_length=1, max_length=100)]


class CompleteIn(In):
    parts: list[PartDone] | None = Field(None, max_length=MOST_PARTS)


class Upload(Schema):
    id: UUID
    space: UUID
    kind: str
    state: str
    name: str
    size: int
    part_size: int
    part_count: int
    problem: str
    problem_code: str

    @classmethod
    def of(cls, session: UploadSession, **more: Any) -> Any:
        fields = ("id", "kind", "state", "name", "size", "part_size", "part_count")
        return cls(
            space=session.space_id, **{name: getattr(session, name) for name in fields}, **_problem(session), **more
        )


class StoredPart(Schema):
    number: int
    size: int
    etag: str
    announced_sha256: str | None = Field(
        description="Base64; what the part's URL was signed for. Verified only after the upload is complete."
    )


class UploadWithParts(Upload):
    parts: list[StoredPart]


class Uploads(Schema):
    items: list[Upload]


class SignedPart(Schema):
    number: int
    url: str
    headers: dict[str, str]
    expires_at: datetime


class SignedParts(Schema):
    parts: list[SignedPart]


class Transcribing(Schema):
    state: str
    done_ms: int
    total_ms: int
    problem: str
    problem_code: str


class Note(Schema):
    code: str
    text: str


class SpaceOut(Schema):
    id: UUID
    state: str
    processing_step: str
    processing_step_done: int
    processing_step_total: int
    problem: str
    problem_code: str
    ended_at: datetime
    expires_at: datetime | None
    uploads: list[Upload]
    transcription: Transcribing | None
    notes: list[Note] = Field(
        description="What was unusual about the recording, why browsers get a copy, what was repaired in the transcript"
    )

    @classmethod
    def of(
        cls, space: Space, uploads: list[UploadSession], transcription: Transcription | None, notes: list[Problem]
    ) -> "SpaceOut":
        fields = (
            "id",
            "state",
            "processing_step",
            "processing_step_done",
            "processing_step_total",
            "ended_at",
            "expires_at",
        )
        heard = ("state", "done_ms", "total_ms")
        return cls(
            **{name: getattr(space, name) for name in fields},
            **_problem(space),
            uploads=[Upload.of(session) for session in uploads],
            transcription=Transcribing(**{n: getattr(transcription, n) for n in heard}, **_problem(transcription))
            if transcription
            else None,
            notes=[Note(code=note["code"], text=render(note)) for note in notes],
        )


class ExportIn(In):
    host: Annotated[Text, Field(min_length=1, max_length=150)] | None = Field(
        None, description="User name. A token must name one of its hosts; with a session it is yourself."
    )
    max_part_size: Literal[2_000_000_000, 10_000_000_000, 50_000_000_000] = Field(
        description="The most bytes that a part may have."
    )
    spaces: Annotated[list[UUID], Field(min_length=1, max_length=MOST_SPACES)] | None = Field(
        None, description="The Spaces to export; without it all that can be downloaded."
    )


class PackageOut(Schema):
    id: UUID
    state: str
    bytes_done: int
    bytes_total: int
    problem: str
    problem_code: str
    name: str
    size: int | None
    crc32: str | None = Field(description="Of the whole, 8 hex digits, where the store has compared it.")
    sha256: str | None = Field(description="Of the whole, hex, where the store could not: then it was read back once.")
    url: str | None = Field(
        description="While it is ready: where it is downloaded, with ranges, without signing in. Each answer has a "
        "fresh one: it ends after a day, and when somebody revokes the links."
    )

    @classmethod
    def of(cls, package: Bundle | ExportPart, url: str, **more: Any) -> Any:
        fields = ("id", "state", "bytes_done", "bytes_total", "name", "size")
        ready = package.state == package.State.READY
        told = {name: getattr(package, name) for name in fields} | _problem(package)
        crc32 = None if package.crc32 is None else f"{package.crc32:08x}"
        return cls(**told, crc32=crc32, sha256=package.sha256 or None, url=url if ready else None, **more)


class BundleOut(PackageOut):
    space: UUID


class ExportPartOut(PackageOut):
    number: int
    spaces: list[UUID]
    expired: list[UUID]


class ExportOut(Schema):
    id: UUID
    max_part_size: int
    parts: list[ExportPartOut]
