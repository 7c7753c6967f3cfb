import os
import secrets
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from archive import dbtime
from archive.accounts import passwords, roles
from archive.intake.ingest import ingest
from archive.intake.request import Request
from archive.management.base import Command as Base
from archive.models import Space, User

DEMO = Path(__file__).resolve().parents[2] / "demo"
ACCOUNTS = [
    ("nora", "Nora", "host", ""),
    ("felix", "Felix", "host", ""),
    ("ada", "Ada", "admin", "admins"),
    ("bea", "Bea", "admin", "admins"),  # an appeal and a hold need a second admin
    ("otto", "Otto", "auditor", "auditors"),
]


class Command(Base):
    help = "Create demo accounts (two hosts, an admin, an auditor) and one demo Space. Idempotent."

    def run(self, **options: Any) -> None:
        refuse_other_databases()
        password = os.environ.get("DEMO_PASSWORD") or secrets.token_urlsafe(9)
        users = {name: _create_account(name, first_name, group, password) for name, first_name, _, group in ACCOUNTS}
        space = _create_space(users["nora"])
        accounts = [{"name": name, "password": password, "role": role} for name, _, role, _ in ACCOUNTS]
        text = "\n".join(f"{a['role']:8} {a['name']:8} {a['password']}" for a in accounts)
        self.print_result(
            f"{text}\n{space.id}", {"accounts": accounts, "space": str(space.id)}, as_json=options["json"]
        )


def refuse_other_databases() -> None:
    """Raise CommandError if other people have accounts here. The demo creates admins with a password that it prints,
    and would replace the password of an account with the same name."""
    demo = {name: _address(name) for name, *_ in ACCOUNTS}
    accounts = dict(User.objects.filter(username__in=demo).values_list("username", "email"))
    is_another_person = any(demo[name] != email for name, email in accounts.items())
    is_new = not User.objects.exclude(username__in=demo).exists()
    if is_another_person or not (is_new or accounts.keys() == demo.keys()):
        raise CommandError("This database has accounts of people: the demo needs one of its own. Nothing was changed.")


def _address(name: str) -> str:
    return f"{name}@example.org"


def _create_account(name: str, first_name: str, group: str, password: str) -> User:
    user, created = User.objects.get_or_create(
        username=name,
        defaults={"first_name": first_name, "email": _address(name), "is_staff": group == "admins"},
    )
    if created and group:
        roles.grant_role(user.pk, group, by=None)
    if not user.check_password(password):
        passwords.set_password(user, password, by=None)
    return user


def _create_space(host: User) -> Space:
    existing = Space.objects.filter(host=host, state__in=Space.KEPT).order_by("created_at").last()
    if existing is not None and existing.state != Space.State.RECEIVING:
        return existing
    ended_at = existing.ended_at if existing else (dbtime.now() - timedelta(days=6)).replace(second=0, microsecond=0)
    request = Request(
        recording=DEMO / "recording.m4a",
        host=host,
        ended_at=ended_at,
        title="The seed library room",
        transcript=DEMO / "transcript.vtt",
        language="en",
        audience="everyone",
        cohosts=("Felix",),
        speakers=("Ida",),
        listeners_peak=41,
        listeners_total=112,
    )
    return ingest(request).space
