"""JSON schemas of requests and responses for editing a Space."""

from typing import Annotated, Any, Literal

from ninja import Schema
from pydantic import Field, StrictBool, StrictInt

from archive.editing.corrections import MAX_CORRECTIONS
from archive.editing.facts import Editable
from archive.intake.transcripts.draft import MAX_TEXT
from archive.intake.transcripts.renaming import Speaker
from archive.models import Transcript
from archive.models.space import MAX_COHOSTS, MAX_SPEAKERS
from portal.api.schemas import Count, In, LanguageTag, Moment, Name, Text, refuse_other_keys

VersionNumber = Annotated[StrictInt, Field(ge=1, lt=2**15)]
SpeakerName = Annotated[Text, Field(max_length=100)]
MERGE = "Whether speakers may be merged: those who get the name of another one."
GIVE = "Whether accounts that are linked already may get lines that they could not download before."


class PersonOut(Schema):
    id: int
    role: str
    name: str
    account: str = Field(description="The user name that was given, whether there is such an account or not.")


class FactsOut(Schema):
    """What a host can edit. `edition` identifies this state."""

    edition: str
    title: str
    audience: str
    started_at: Moment | None
    listeners_peak: int | None
    listeners_total: int | None
    language: str | None = Field(description="Of the transcript (BCP 47), null without one.")
    participants: list[PersonOut]

    @classmethod
    def of(cls, now: Editable) -> "FactsOut":
        people = [PersonOut(id=p.pk, role=p.role, name=p.name, account=p.account) for p in now.participants]
        return cls(edition=now.edition, language=now.language, participants=people, **_facts(now))


def _facts(now: Editable) -> dict[str, Any]:
    facts = dict(vars(now.facts))
    start = facts["started_at"]
    return facts | {"started_at": start.isoformat() if start else None}


class PersonIn(In):
    id: Annotated[StrictInt, Field(ge=1, lt=2**63)] | None = Field(None, description="None: a new participant.")
    role: Literal["host", "cohost", "speaker"]
    name: Name
    account: Annotated[Text, Field(max_length=150)] = Field("", description="The host's account can't be changed.")


class FactsIn(In):
    """Omitted fields stay as they are. `participants` replaces all participants."""

    edition: Annotated[Text, Field(max_length=64)] = Field(description="Of the state that you edited.")
    title: Annotated[Text, Field(max_length=300)] = ""
    audience: Literal["", "everyone", "followed", "invited"] = ""
    started_at: Moment | None = None
    listeners_peak: Count | None = None
    listeners_total: Count | None = None
    language: LanguageTag | None = None
    participants: list[PersonIn] = Field(default=[], max_length=1 + MAX_COHOSTS + MAX_SPEAKERS)
    rename_lines: StrictBool = Field(True, description="Rename speakers in the transcript with their participants.")
    merge: StrictBool = Field(False, description=MERGE)
    give_lines: StrictBool = Field(False, description=GIVE)


class LineOut(Schema):
    line: int = Field(description="From 1.")
    start_ms: int
    end_ms: int
    speaker: str
    text: str


class SpeakerOut(Schema):
    name: str
    lines: int


class VersionOut(Schema):
    """A version of the transcript."""

    number: int
    edited_from: int | None
    source: str
    language: str
    line_count: int
    sha256: str

    @classmethod
    def of(cls, transcript: Transcript, **more: Any) -> Any:
        fields = ("number", "edited_from", "source", "language", "line_count", "sha256")
        return cls(**{name: getattr(transcript, name) for name in fields}, **more)


class TranscriptOut(VersionOut):
    speakers: list[SpeakerOut]
    lines: list[LineOut]

    @classmethod
    def with_lines(cls, transcript: Transcript, speakers: list[Speaker]) -> Any:
        lines = [LineOut(line=number, **cue) for number, cue in enumerate(transcript.cues, 1)]
        named = [SpeakerOut(name=speaker.name, lines=speaker.lines) for speaker in speakers]
        return cls.of(transcript, speakers=named, lines=lines)


class CorrectionIn(In):
    line: Annotated[StrictInt, Field(ge=1, lt=2**31)] = Field(description="From 1.")
    text: Annotated[Text, Field(max_length=MAX_TEXT)] | None = None
    speaker: SpeakerName | None = None


class CorrectionsIn(In):
    base: VersionNumber = Field(description="The version that you corrected: it must be the newest.")
    corrections: list[CorrectionIn] = Field(min_length=1, max_length=MAX_CORRECTIONS)


class SpeakersIn(In):
    base: VersionNumber = Field(description="The version that you read: it must be the newest.")
    names: dict[SpeakerName, SpeakerName] = Field(
        min_length=1,
        max_length=200,
        description="New names by old ones, all at once: two speakers can swap theirs.",
        json_schema_extra=refuse_other_keys,
    )
    merge: StrictBool = Field(False, description=MERGE)
    give_lines: StrictBool = Field(False, description=GIVE)
