"""Inboxes of recorders, from the recorder's side."""

import json
from abc import ABC, abstractmethod
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.utils import timezone

from archive.storage import keys, store


class Inbox(ABC):
    """A recorder's inbox, from the recorder's side."""

    def drop(self, name: str, recording: bytes | Path, **facts: Any) -> None:
        """Write a recording, and then its sidecar."""
        self.put(name, recording.read_bytes() if isinstance(recording, Path) else recording)
        self.put(f"{name}.json", json.dumps(sidecar(**facts)).encode())

    def outcome(self, name: str) -> dict[str, Any]:
        outcome: dict[str, Any] = json.loads(self.get(f"{name}.outcome.json"))
        return outcome

    @abstractmethod
    def put(self, name: str, data: bytes) -> None: ...

    @abstractmethod
    def get(self, name: str) -> bytes: ...

    @abstractmethod
    def names(self) -> list[str]: ...


class StoreInbox(Inbox):
    def __init__(self, prefix: str) -> None:
        self.prefix = keys.inbox(prefix)

    def put(self, name: str, data: bytes) -> None:
        store().client.put_object(Bucket=store().bucket, Key=self.prefix + name, Body=data)

    def get(self, name: str) -> bytes:
        return store().client.get_object(Bucket=store().bucket, Key=self.prefix + name)["Body"].read()

    def names(self) -> list[str]:
        return sorted(one.key.removeprefix(self.prefix) for one in store().listing(self.prefix).versions)


class FolderInbox(Inbox):
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True)

    def put(self, name: str, data: bytes) -> None:
        (self.folder / name).parent.mkdir(exist_ok=True)
        (self.folder / name).write_bytes(data)

    def get(self, name: str) -> bytes:
        return (self.folder / name).read_bytes()

    def names(self) -> list[str]:
        return sorted(path.relative_to(self.folder).as_posix() for path in self.folder.rglob("*") if path.is_file())


def sidecar(**facts: Any) -> dict[str, Any]:
    ended_at = (timezone.now() - timedelta(hours=2)).replace(microsecond=0).isoformat()
    return {"host": "alice", "ended_at": ended_at, "title": "Seed swap", **facts}
