"""Clients of the JSON API, in process and over HTTP, which upload parts straight to the object store."""

from __future__ import annotations

import base64
import hashlib
import json
import ssl
import urllib.error
import urllib.request
from datetime import timedelta
from typing import Any
from uuid import uuid4

from archive import dbtime, recorders
from archive.models import RecorderToken, User
from archive.storage.s3 import backend
from tests.support.http_clients import make_client

MIB = 1024**2
BINARY = {"Content-Type": "application/octet-stream"}  # urllib's default is a form, which moto would parse
ALL_SCOPES = ("intake", "bundles")


class ApiClient:
    """Call the API in process: with `token` as a recorder, with `user` as a page does (session and CSRF token)."""

    def __init__(self, *, user: User | None = None, token: str = "") -> None:
        self.client = make_client(user, enforce_csrf_checks=True)
        self.headers = {"Authorization": f"Bearer {token}"} if token else {}
        if user:
            csrf = "a" * 32
            self.client.cookies["csrftoken"] = csrf
            self.headers = {"X-CSRFToken": csrf}

    def ask(
        self, method: str, path: str, data: str = "", type: str = "application/json", **headers: str
    ) -> ApiResponse:
        sent = {**self.headers, **{name.replace("_", "-"): value for name, value in headers.items()}}
        response = self.client.generic(method, f"/api/v1{path}", data, type if data else "", headers=sent)
        return ApiResponse(response.status_code, response.headers, response.content)

    def get(self, path: str) -> ApiResponse:
        return self.ask("GET", path)

    def post(self, path: str, body: Any = None, **headers: str) -> ApiResponse:
        return self.ask("POST", path, "" if body is None else json.dumps(body), **headers)

    def send_json(self, method: str, path: str, body: Any) -> ApiResponse:
        return self.ask(method, path, json.dumps(body))

    def delete(self, path: str) -> ApiResponse:
        return self.ask("DELETE", path)

    def announce(self, host: str | None = None, key: str | None = None, **fields: Any) -> ApiResponse:
        ended_at = (dbtime.now() - timedelta(hours=2)).isoformat()
        body = {"title": "Beans", "ended_at": ended_at, **({"host": host} if host else {}), **fields}
        return self.post("/spaces", body, Idempotency_Key=key or uuid4().hex)

    def begin(
        self, space: str, data: bytes, kind: str = "recording", name: str = "talk.m4a", **more: Any
    ) -> ApiResponse:
        return self.post(f"/spaces/{space}/uploads", {"kind": kind, "name": name, "size": len(data), **more})

    def send(self, upload: dict[str, Any], data: bytes, numbers: list[int] | None = None) -> None:
        """Upload the parts `numbers` (default: all) of `data`, each with its checksum."""
        chosen = numbers or list(range(1, upload["part_count"] + 1))
        size = upload["part_size"]
        parts = {number: data[(number - 1) * size : number * size] for number in chosen}
        requested = [{"number": number, "sha256": checksum(part)} for number, part in parts.items()]
        signed = self.post(f"/uploads/{upload['id']}/parts", {"parts": requested})
        assert signed.status == 200, signed.json
        for part in signed.json["parts"]:
            assert put_part(part, parts[part["number"]]) == 200


class RemoteApiClient(ApiClient):
    """Call the API of a real web process at `url` as a recorder."""

    def __init__(self, url: str, token: str) -> None:
        super().__init__(token=token)
        self.url = url

    def ask(
        self, method: str, path: str, data: str = "", type: str = "application/json", **headers: str
    ) -> ApiResponse:
        sent = {**self.headers, **{name.replace("_", "-"): value for name, value in headers.items()}}
        sent |= {"Content-Type": type} if data else {}
        request = urllib.request.Request(f"{self.url}/api/v1{path}", data.encode() or None, sent, method=method)
        try:
            with urllib.request.urlopen(request, timeout=120) as answer:
                return ApiResponse(answer.status, answer.headers, answer.read())
        except urllib.error.HTTPError as error:
            with error:
                return ApiResponse(error.code, error.headers, error.read())


class ApiResponse:
    def __init__(self, status: int, headers: Any, body: bytes) -> None:
        self.status = status
        self.headers = headers
        self.type = headers.get("Content-Type", "")
        self.body = body

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def code(self) -> str:
        """The error code of a problem."""
        return str(self.json["code"])

    @property
    def words(self) -> str:
        """The message of a problem."""
        assert self.type == "application/problem+json", (self.status, self.type)
        assert self.json["status"] == self.status
        return str(self.json["detail"])


def make_recorder(
    by: User, name: str = "studio", hosts: tuple[User, ...] = (), scopes: tuple[str, ...] = ("intake",)
) -> tuple[ApiClient, RecorderToken]:
    """Create a recorder token. Return a client with it, and the token. Without `hosts` it is valid for every host."""
    token, text = recorders.create_token(name, 30, by, hosts, scopes, for_anybody=not hosts)
    return ApiClient(token=text), token


def checksum(data: bytes) -> str:
    return base64.b64encode(hashlib.sha256(data).digest()).decode()


def put_part(part: dict[str, Any], data: bytes) -> int:
    """Upload a part to its signed address, as a browser does. Return the HTTP status."""
    request = urllib.request.Request(part["url"], data, method="PUT", headers=part["headers"] | BINARY)
    tls = ssl.create_default_context(cafile=backend("public").verify) if part["url"].startswith("https:") else None
    try:
        with urllib.request.urlopen(request, timeout=120, context=tls) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code
