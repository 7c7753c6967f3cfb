"""The same content gives the same bytes, also in another process with another hash seed."""

from pathlib import Path

import pytest

from archive import lifecycle
from archive.log import SYSTEM
from archive.models import Bundle, Space, User
from archive.moderation.violations import flag
from tests.plugin import engines
from tests.support.factory import make_space
from tests.support.processes import Services, manage


@pytest.fixture
def services(committed: None, tmp_path: Path) -> Services:
    """Commands run in new processes. One that is forked from the preloader would keep the preloader's hash seed."""
    return Services(tmp_path, engines)


@pytest.fixture
def space(services: Services, alice: User, admin: User) -> Space:
    """A Space with several of everything whose order could vary."""
    space = make_space(alice, cohosts=("Felix", "Noor"), speakers=("Ida", "Émile", "Ada", "Bo"))
    for rule in ("spam", "harassment"):
        flag(space.pk, rule, "Seen.", admin)
    return space


def bundled(services: Services, space: Space, out: Path) -> tuple[Bundle, bytes]:
    manage(services, "bundle", str(space.pk), "--out", str(out))
    return Bundle.objects.get(space=space, state="ready"), out.read_bytes()


@pytest.mark.long
def test_two_processes_make_the_same_bytes(
    services: Services, space: Space, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONHASHSEED", "1")
    first, data = bundled(services, space, tmp_path / "first.zip")
    lifecycle.transition(first, Bundle.State.READY, Bundle.State.REMOVED, actor=SYSTEM)

    monkeypatch.setenv("PYTHONHASHSEED", "2")
    second, again = bundled(services, space, tmp_path / "second.zip")

    assert (second.pk != first.pk, second.content_digest) == (True, first.content_digest)
    assert again == data
