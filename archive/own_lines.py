"""Find a speaker's own lines: the lines of a transcript under the name of a participant who is linked to an account.

Nobody gets another speaker's lines: if two participants share a name, neither gets any.

The user name of a participant links them to the account with this name, if it exists and is active. Otherwise nothing
is linked, without an error, so nobody can probe which user names exist. All entry points (page, API, inboxes, LiveKit)
use `find_accounts`.
"""

import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from uuid import UUID

from django.db import connection, transaction

from archive import cues, dbtime, error_messages, log
from archive.cues import Cue
from archive.errors import Problem, Refused, TooLate, make_problem
from archive.log import Actor, events
from archive.models import Participant, Space, Transcript, User


@dataclass(frozen=True)
class OwnLines:
    """`names` are a speaker's names in the transcript (normalized), and `lines` the number of their lines; `problem`
    is the reason if there are none."""

    names: frozenset[str]
    lines: int
    problem: Problem = field(default_factory=dict)

    @property
    def problem_text(self) -> str:
        """The reason for having no lines, for the speaker; "" if there are some."""
        return error_messages.render(self.problem)


def normalize_name(name: str) -> str:
    """Make names equal that differ only in spaces, case or the composition of letters."""
    folded = unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())
    return " ".join(folded.split())


def find_own_lines(user: User, participants: Iterable[Participant], spoken: Mapping[str, int] | None) -> OwnLines:
    """Find the lines of a transcript that belong to `user`. `participants` are all of the Space's; `spoken` maps
    speaker names to numbers of lines, or is None without a transcript."""
    participants = list(participants)
    name_counts = Counter(normalize_name(person.name) for person in participants)
    mine = [person for person in participants if person.user_id == user.pk]
    shared = next((person.name for person in mine if name_counts[normalize_name(person.name)] > 1), None)
    if shared is not None:
        return _nothing("own_lines.name_shared", name=shared)
    if spoken is None:
        return _nothing("own_lines.no_transcript")
    if not any(normalize_name(speaker) for speaker in spoken):
        return _nothing("own_lines.no_speakers")
    names = frozenset(normalize_name(person.name) for person in mine)
    lines = sum(count for speaker, count in spoken.items() if normalize_name(speaker) in names)
    return OwnLines(names, lines) if lines else _nothing("own_lines.none")


def own_cues(user: User, participants: Iterable[Participant], transcript: Transcript) -> list[Cue]:
    """Return the lines themselves; none if `find_own_lines` has a problem."""
    spoken = cues.load(transcript.cues)
    own = find_own_lines(user, participants, Counter(cue.speaker for cue in spoken))
    return [cue for cue in spoken if normalize_name(cue.speaker) in own.names]


def line_counts_by_speaker(transcripts: Iterable[Transcript]) -> dict[int, dict[str, int]]:
    """Return {transcript id: {speaker: lines}}, counted in the database so that no cue is transferred."""
    counts: dict[int, dict[str, int]] = {transcript.pk: {} for transcript in transcripts}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, cue->>'speaker', count(*) FROM archive_transcript, jsonb_array_elements(cues) AS cue"
            " WHERE id = ANY(%s) GROUP BY 1, 2",
            [list(counts)],
        )
        for pk, speaker, count in cursor.fetchall():
            counts[pk][speaker] = count
    return counts


def find_accounts(usernames: Iterable[str]) -> dict[str, User]:
    """Return {user name: account} of the accounts that exist and are active, in one query."""
    names = {name for name in usernames if name}
    users = User.objects.filter(username__in=names, is_active=True) if names else []
    return {user.username: user for user in users}


def link(space_id: UUID, participant_id: int, username: str, actor: Actor) -> None:
    """Store the user name of a participant, and link the account; with an empty name, unlink. Raises
    Participant.DoesNotExist, Refused if another participant has this user name, TooLate from the deadline on."""
    username = username.strip().replace("\x00", "\ufffd")
    with transaction.atomic():
        space = Space.objects.select_for_update().get(pk=space_id)
        person = Participant.objects.get(pk=participant_id, space=space)
        if space.is_gone(dbtime.now()):
            raise TooLate("participant.too_late")
        other = space.participants.filter(account=username).exclude(pk=person.pk).first() if username else None
        if other is not None:
            raise Refused("participant.account_taken", name=other.name)
        before, user = person.user_id, find_accounts([username]).get(username)
        person.account, person.user = username, user
        person.save(update_fields=["account", "user"])
        if before == person.user_id:
            return
        if before is not None:
            log.record(
                events.PARTICIPANT_UNLINKED, space_id=space.pk, actor=actor, participant=person.pk, account=before
            )
        if user is not None:
            log.record(
                events.PARTICIPANT_LINKED, space_id=space.pk, actor=actor, participant=person.pk, account=user.pk
            )


def _nothing(code: str, **params: object) -> OwnLines:
    return OwnLines(frozenset(), 0, make_problem(code, **params))
