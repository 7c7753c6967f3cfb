import os
import secrets
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.contrib.auth.models import Group

from archive import dbtime
from archive.intake.ingest import ingest
from archive.intake.request import Request
from archive.management.base import Command as Base
from archive.models import Space, User

DEMO = Path(__file__).resolve().parents[2] / "demo"
ACCOUNTS = [
    ("nora", "Nora", "host", ""),
    ("felix", "Felix", "host", ""),
    ("ada", "Ada", "admin", "admins"),
    ("otto", "Otto", "auditor", "auditors"),
]


class Command(Base):
    help = "Demo accounts (two hosts, an admin, an auditor) and one demo Space. Calling it again changes nothing."

    def run(self, **options: Any) -> None:
        password = os.environ.get("DEMO_PASSWORD") or secrets.token_urlsafe(9)
        users = {name: _account(name, shown, group, password) for name, shown, _, group in ACCOUNTS}
        space = _space(users["nora"])
        accounts = [{"name": name, "password": password, "role": role} for name, _, role, _ in ACCOUNTS]
        words = "\n".join(f"{a['role']:8} {a['name']:8} {a['password']}" for a in accounts)
        self.say(f"{words}\n{space.id}", {"accounts": accounts, "space": str(space.id)}, as_json=options["json"])


def _account(name: str, shown: str, group: str, password: str) -> User:
    user, made = User.objects.get_or_create(
        username=name, defaults={"first_name": shown, "email": f"{name}@example.org", "is_staff": group == "admins"}
    )
    if made and group:
        user.groups.add(Group.objects.get(name=group))
    if not user.check_password(password):
        user.set_password(password)
        user.save(update_fields=["password"])
    return user


def _space(host: User) -> Space:
    here = Space.objects.filter(host=host, state__in=Space.KEPT).order_by("created_at").last()
    if here is not None and here.state != Space.State.RECEIVING:
        return here
    ended_at = here.ended_at if here else (dbtime.now() - timedelta(days=6)).replace(second=0, microsecond=0)
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
