"""Create Spaces to edit: a row with participants and a transcript."""

from archive.models import Participant, Space, Transcript, User
from tests.support.factory import make_row
from tests.support.transcripts import make_transcript

LINES = [("Nora", "Broad beens."), ("Tom", "And peas."), ("Nora", "Sow them early."), ("Ida", "Why?")]


def make_talk(host: User, **accounts: User) -> Space:
    """Create a Space with the host Nora, the co-host Tom, the speaker Ida, and four lines. `accounts` links people to
    accounts: `tom=bob`."""
    space = make_row(host, title="Seeds", salt="0b" * 32)
    for role, seat, name in (("host", 1, "Nora"), ("cohost", 1, "Tom"), ("speaker", 1, "Ida")):
        user = host if role == "host" else accounts.get(name.lower())
        account = user.username if user else ""
        Participant.objects.create(space=space, role=role, seat=seat, name=name, account=account, user=user)
    make_transcript(space, LINES)
    return space


def read_lines(transcript: Transcript | None) -> list[tuple[str, str]]:
    """Return (speaker, text) of each line."""
    assert transcript is not None
    return [(cue["speaker"], cue["text"]) for cue in transcript.cues]


def read_people(space: Space) -> list[tuple[str, int, str, str]]:
    """Return (role, seat, name, account) of each participant, in the order of their ids."""
    return list(space.participants.order_by("id").values_list("role", "seat", "name", "account"))


def person_id(space: Space, name: str) -> int:
    return space.participants.get(name=name).pk
