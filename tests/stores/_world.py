"""What the steps share: the site's processes, its users, and access to the store without our code."""

import contextlib
import json
import signal
import socket
import ssl
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterable
from email.message import Message
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit
from uuid import UUID

import boto3
from botocore.config import Config

from archive import recorders
from archive.models import Space, User
from archive.storage import keys
from tests import plugin
from tests.stores import _clock
from tests.stores._server import Server
from tests.support.api_client import MIB, RemoteApiClient
from tests.support.audio_files import make_tone
from tests.support.factory import make_user
from tests.support.http_clients import session_cookie
from tests.support.processes import Services, kill_reused_processes, manage


def _without_rehearsal(found: Iterable[str]) -> list[str]:
    return [key for key in found if not key.startswith(keys.REHEARSAL)]


class Job:
    """`recording`: the file to upload, in four parts. `space`: its Space."""

    space: Space
    late_part: dict[str, Any]  # a signed URL of a part of the upload, with its headers
    signed_url: str  # of the recording
    partial: int  # the status of a range request

    def __init__(self, server: Server, folder: Path) -> None:
        self.server, self.folder = server, folder
        _clock.take_over()
        self.services = Services(folder, plugin.engines)
        self.alice: User = make_user("alice")
        self.ada: User = make_user("ada", role="admins")
        self.token = recorders.create_token("studio", 365, self.ada, (self.alice,), ("intake", "bundles"))[1]
        self.api = RemoteApiClient(self.services.url, self.token)
        self.cookie = session_cookie(self.alice)
        self.recording = make_tone(folder / "talk.wav", "wav", seconds=200)
        self.data = self.recording.read_bytes()
        self.fallbacks: list[str] = []
        self.tls = ssl.create_default_context(cafile=str(server.ca)) if server.ca else None
        if self.tls:  # users' machines trust the authority; S3_CA_BUNDLE tells the site
            opener = urllib.request.build_opener(urllib.request.HTTPSHandler(context=self.tls))
            urllib.request.install_opener(opener)
        self.client = boto3.client(
            "s3",
            endpoint_url=server.url,
            region_name=server.region,
            aws_access_key_id=server.access_key,
            aws_secret_access_key=server.secret_key,
            verify=str(server.ca) if server.ca else None,
            config=Config(request_checksum_calculation="when_required"),  # Ceph accepts no trailers over https
        )
        self.bucket = server.env["S3_BUCKET"]

    def start(self) -> None:
        self.services.web()
        self.workers = [self.services.beat(), self.services.worker()]

    def stop_workers(self) -> None:
        """Stop the workers after their current work."""
        for process in self.workers:
            process.stop(signal.SIGTERM, 60)

    def stop(self) -> None:
        self.services.stop()
        kill_reused_processes()

    def manage(self, *arguments: str, ok: bool = True) -> subprocess.CompletedProcess[str]:
        return manage(self.services, *arguments, ok=ok)

    def manage_json(self, *arguments: str) -> Any:
        return json.loads(self.manage(*arguments, "--json").stdout)

    def state(self, space_id: UUID) -> tuple[str, str]:
        """Return state and problem."""
        space = Space.objects.get(pk=space_id)
        return space.state, space.problem_code

    def stored(self, prefix: str = "") -> list[str]:
        """Return the store's keys, except those of a rehearsal that a worker may run at the moment."""
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix)
        return _without_rehearsal(entry["Key"] for page in pages for entry in page.get("Contents", []))

    def open_uploads(self) -> list[str]:
        pages = self.client.get_paginator("list_multipart_uploads").paginate(Bucket=self.bucket)
        return _without_rehearsal(entry["Key"] for page in pages for entry in page.get("Uploads", []))

    def large_files(self) -> list[Path]:
        """Return the store's own files on disk that could be parts of recordings."""
        files = (file for name in self.server.files for file in (self.folder / name).rglob("*") if file.is_file())
        return [file for file in files if file.stat().st_size >= MIB]

    def get(self, url: str, **headers: str) -> tuple[int, Message, bytes]:
        """GET from the store, as a browser does after a redirect."""
        try:
            with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=120) as answer:
                return answer.status, answer.headers, answer.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.headers, error.read()

    def break_off(self, part: dict[str, Any], data: bytes) -> None:
        """PUT a part, and break the connection after half of it."""
        url = urlsplit(part["url"])
        headers = "".join(f"{name}: {value}\r\n" for name, value in part["headers"].items())
        head = (
            f"PUT {url.path}?{url.query} HTTP/1.1\r\nHost: {url.netloc}\r\n{headers}Content-Length: {len(data)}\r\n\r\n"
        )
        host, port = cast(str, url.hostname), cast(int, url.port)
        with contextlib.ExitStack() as stack:
            connection = stack.enter_context(socket.create_connection((host, port), timeout=60))
            if self.tls:
                connection = stack.enter_context(self.tls.wrap_socket(connection, server_hostname=host))
            connection.sendall(head.encode() + data[: len(data) // 2])
