"""What became of a lost entry in a restored database, and what each step needs: the account that acted, and words for
what the log does not have."""

from dataclasses import dataclass
from typing import Any

from django.contrib.auth.hashers import make_password
from django.db.models.functions import Now

from archive.accounts import closing
from archive.models import Appeal, Hold, Space, User, Violation
from archive.transparency.recovery import LostEntry

LOST = "(Lost. Entry {number} of the retention log, of {at}, records it.)"


@dataclass(frozen=True)
class Step:
    """The result for an entry. `outcome`: restored; restorable (in a rehearsal); present (nothing to do); or by-hand,
    with the reason."""

    entry: int
    event: str
    space: str
    at: str
    outcome: str
    why: str = ""

    def __str__(self) -> str:
        return f"entry {self.entry}, {self.event} of Space {self.space}" + (f": {self.why}" if self.why else "")


class ByHand(Exception):
    """The effect of an entry can't be restored from the log alone."""


def make_step(entry: LostEntry, outcome: str, why: str = "") -> Step:
    return Step(entry.id, str(entry.event), str(entry.space), entry.at.isoformat(), outcome, why)


def require_no_deletion(space: Space) -> None:
    if space.state in Space.DELETING:
        raise ByHand("this database started its deletion after the restore: nothing protects it when you confirm")


def find_account(entry: LostEntry) -> User:
    """Return the account that caused the entry, or a stand-in. Raises ByHand if its number belongs to another account,
    created since the restore."""
    account = User.objects.filter(pk=entry.actor or 0).first()
    if account is None:
        return stand_in(entry)
    is_stand_in = account.username == closing.NAME.format(pk=account.pk)
    require_same(is_stand_in or account.date_joined <= entry.at, f"account {entry.actor}")
    return account


def stand_in(entry: LostEntry) -> User:
    """Return a closed account (archive/accounts/closing.py) for a lost one, with its number unless that is taken."""
    is_taken = entry.actor is None or User.objects.filter(pk=entry.actor).exists()
    name = f"lost #{entry.actor}" if is_taken else closing.NAME.format(pk=entry.actor)
    closed = {"password": make_password(None), "is_active": False, "date_joined": entry.at, "closed_at": Now()}
    account, _ = User.objects.get_or_create(
        username=name, defaults={**closed, **({} if is_taken else {"pk": entry.actor})}
    )
    return account


def require_same(is_same: bool, what: str) -> bool:
    """Return False if the row is the same one, so nothing is to do. Raises ByHand for another row with its number."""
    if not is_same:
        raise ByHand(f"{what} of this database is another one, which was made since the restore")
    return False


def change(row: Violation | Appeal | Hold, **changes: Any) -> bool:
    return bool(type(row)._default_manager.filter(pk=row.pk).update(**changes))


def describe_lost(entry: LostEntry) -> str:
    return LOST.format(number=entry.id, at=f"{entry.at:%Y-%m-%d %H:%M} UTC")
