"""Require the host's explicit consent to merge speakers, and to give a linked account more lines.

Linking an account to a name, and correcting the speaker of a single line, need no further consent.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from archive.cues import Cue
from archive.errors import Conflict, Problem, Refused, make_problem
from archive.models import Participant
from archive.own_lines import normalize_name


@dataclass(frozen=True)
class Consent:
    merge: bool = False
    give_lines: bool = False


@dataclass(frozen=True)
class Gain:
    """A participant whose account, if it exists, could download `lines` more lines."""

    name: str
    account: str
    lines: int

    @property
    def problem(self) -> Problem:
        return make_problem("edit.gain", name=self.name, account=self.account, lines=self.lines)


@dataclass(frozen=True)
class State:
    """Participants with their accounts, and the lines of the newest transcript."""

    participants: Sequence[Participant]
    lines: Sequence[Cue]


def require_consent(merged: Sequence[str], gains: Sequence[Gain], consent: Consent) -> None:
    """Raise Conflict for a merge, and Refused for lines that an account would gain, without consent."""
    if merged and not consent.merge:
        raise Conflict("edit.merges_speakers", names=merged)
    if gains and not consent.give_lines:
        raise Refused("edit.gives_lines", people=[gain.problem for gain in gains])


def find_gains(before: State, after: State, host_id: int) -> list[Gain]:
    """Find accounts that gain lines and were already named for the same participants. The host has every line anyway.

    Looks at the user name given for a participant, and not at whether such an account exists: otherwise hosts could
    probe user names.
    """
    had, has = _lines_by_account(before), _lines_by_account(after)
    named = {(person.pk, person.account) for person in before.participants}
    gains = []
    for account, numbers in has.items():
        mine = [person for person in after.participants if person.account == account]
        is_host = any(person.role == Participant.Role.HOST or person.user_id == host_id for person in mine)
        is_new_link = any((person.pk, account) not in named for person in mine)
        more = numbers - had.get(account, set())
        if more and not is_host and not is_new_link:
            gains.append(Gain(mine[0].name, account, len(more)))
    return gains


def _lines_by_account(state: State) -> dict[str, set[int]]:
    """Return {user name: numbers of the lines that its account may download}, by the rules of archive/own_lines.py."""
    people = Counter(normalize_name(person.name) for person in state.participants)
    names: dict[str, set[str]] = {}
    for person in state.participants:
        if person.account:
            names.setdefault(person.account, set()).add(normalize_name(person.name))
    speakers = [normalize_name(cue.speaker) for cue in state.lines]
    return {
        account: {number for number, speaker in enumerate(speakers) if speaker in mine}
        for account, mine in names.items()
        if all(people[name] == 1 for name in mine)
    }
