import base64
import sys
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.conf import settings
from django.core.management.base import CommandError, CommandParser

from archive import signing_keys
from archive.log import OPERATOR, rfc3339
from archive.management.base import Command as Base
from archive.models import SigningKeyEvent
from archive.signing_keys import KeyRecord

KEYS = {"rotate": "FILE", "retire": "ID"}
HELP = """List the keys that sign checkpoints of the log and certificates of deletion; rotate or retire one.

rotate KIND FILE has the key that signs now endorse the new one. FILE has the private half of the new one, 32 bytes in
base64; - is standard input. Then give the new key to the process that deletes, and restart it. retire KIND ID, once no
process has the old key any more. Run both where the process that deletes runs. docs/log.md has the steps.
"""


class Command(Base):
    help = HELP

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "action", nargs="?", choices=["list", "rotate", "retire"], default="list", help="by default list"
        )
        parser.add_argument("kind", nargs="?", choices=SigningKeyEvent.Kind.values, help="what it signs")
        parser.add_argument("key", nargs="?", metavar="FILE or ID", help="rotate: the new key; retire: the old one")

    def run(self, **options: Any) -> None:
        action, kind, key = options["action"], options["kind"], options["key"]
        if action != "list" and not (kind and key):
            raise CommandError(f"Name the kind and the key: manage.py signing_keys {action} log {KEYS[action]}")
        if action == "list":
            self._list(kind, as_json=options["json"])
        elif action == "rotate":
            self._rotate(kind, _read_seed(key), as_json=options["json"])
        else:
            self._retire(kind, key, as_json=options["json"])

    def _list(self, kind: str | None, *, as_json: bool) -> None:
        kinds = [kind] if kind else SigningKeyEvent.Kind.values
        records = [record for each in kinds for record in signing_keys.history(each)]
        text = "\n".join(map(_describe, records)) or "No key has signed anything yet."
        self.print_result(text, {"keys": [_facts(record) for record in records]}, as_json=as_json)

    def _rotate(self, kind: str, new: Ed25519PrivateKey, *, as_json: bool) -> None:
        public = new.public_key().public_bytes_raw()
        if public == _own(kind).public_key().public_bytes_raw():
            raise CommandError("This is the key that signs now. Make a new one with: openssl rand -base64 32.")
        if not signing_keys.endorse(kind, public, _own(kind), OPERATOR):
            raise CommandError(f"The key {signing_keys.key_id(kind, public)} is in the history already.")
        name, encoded = f"{signing_keys.SETTINGS[kind]}_KEY", base64.b64encode(public).decode()
        text = (
            f"The key {signing_keys.key_id(kind, public)} is endorsed. Its public half is {encoded}\n"
            f"Next: set the new {name} where the process that deletes runs, and restart that process. Put the public "
            f"half first in {name.replace('KEY', 'PUBLIC_KEYS')} at the next restart of the others."
        )
        facts = {"kind": kind, "id": signing_keys.key_id(kind, public), "public": encoded}
        self.print_result(text, facts, as_json=as_json)

    def _retire(self, kind: str, key_id: str, *, as_json: bool) -> None:
        record = next((one for one in signing_keys.history(kind) if one.id == key_id), None)
        if record is None:
            raise CommandError(
                f"No key {key_id!r} of this kind has signed. List them with: manage.py signing_keys list"
            )
        if _seed(kind) and record.public == _own(kind).public_key().public_bytes_raw():
            raise CommandError(f"{key_id} is the key that signs here. Set the new one first.")
        changed = signing_keys.retire(kind, record.public, OPERATOR)
        text = f"The key {key_id} is retired." if changed else "Nothing to change: it was retired before."
        self.print_result(text, {"kind": kind, "id": key_id, "changed": changed}, as_json=as_json)


def _seed(kind: str) -> bytes:
    return bytes(getattr(settings, f"{signing_keys.SETTINGS[kind]}_KEY"))


def _own(kind: str) -> Ed25519PrivateKey:
    if not _seed(kind):
        raise CommandError(
            f"{signing_keys.SETTINGS[kind]}_KEY is not set here. Run this where the process that deletes runs."
        )
    return Ed25519PrivateKey.from_private_bytes(_seed(kind))


def _read_seed(file: str) -> Ed25519PrivateKey:
    """Raise CommandError without any part of the key in its message."""
    try:
        text = sys.stdin.read() if file == "-" else Path(file).read_text()
        return Ed25519PrivateKey.from_private_bytes(base64.b64decode(text.strip(), validate=True))
    except OSError as error:
        raise CommandError(f"{file} can't be read: {error.strerror}.") from None
    except ValueError:
        raise CommandError("The new key is not 32 bytes in base64. Make one with: openssl rand -base64 32.") from None


def _describe(record: KeyRecord) -> str:
    until = f" until {rfc3339(record.retired_at)}" if record.retired_at else ""
    return f"{record.kind}  {record.id}  from {rfc3339(record.added_at)}{until}"


def _facts(record: KeyRecord) -> dict[str, Any]:
    times = {"from": rfc3339(record.added_at), "until": rfc3339(record.retired_at)}
    return {"kind": record.kind, "id": record.id, "public": base64.b64encode(record.public).decode(), **times}
