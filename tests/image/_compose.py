"""Read docker-compose.yml: the command, the settings and the secrets of each service."""

import base64
import re
import secrets as random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.image._dockerfile import ROOT, command

SECRETS = "/run/secrets"
VARIABLE = re.compile(r"\$\{([A-Z0-9_]+)(?::([-?+])([^}]*))?\}")


@dataclass(frozen=True)
class Service:
    """`environment` names secrets by their files in SECRETS; `secrets` are the mounted ones. `files` are files of the
    host that Compose mounts; `environment` names them like secrets."""

    name: str
    command: list[str]
    environment: dict[str, str]
    secrets: list[str]
    files: dict[str, Path]
    grace_seconds: float


@cache
def _document() -> dict[str, Any]:
    return dict(yaml.safe_load((ROOT / "docker-compose.yml").read_text()))


def service(name: str, dot_env: Mapping[str, str]) -> Service:
    """Return the service with the values of .env."""
    found = _document()["services"][name]
    mounts = _mounted_files(found.get("volumes", []), dot_env)
    files = {target: f"{SECRETS}/{target.strip('/')}" for target in mounts}
    environment = {key: substitute(str(value), dot_env) for key, value in found["environment"].items()}
    environment = {key: files.get(value, value) for key, value in environment.items()}
    own = found.get("command") or command()
    grace = float(str(found.get("stop_grace_period", "10s")).removesuffix("s"))
    command_line = [part.replace("$$", "$") for part in own]
    named = {target.strip("/"): source for target, source in mounts.items()}
    return Service(name, command_line, environment, found.get("secrets", []), named, grace)


def _mounted_files(volumes: Sequence[str], dot_env: Mapping[str, str]) -> dict[str, Path]:
    """Return the host's files that .env names, by their paths in the container."""
    pairs = (substitute(volume, dot_env).split(":")[:2] for volume in volumes)
    return {target: Path(source) for source, target in pairs if Path(source).is_file()}


def substitute(text: str, values: Mapping[str, str]) -> str:
    """Substitute as Compose does: ${NAME}, ${NAME:-default}, ${NAME:?needed}, ${NAME:+if it is set}."""

    def value(found: re.Match[str]) -> str:
        name, kind, rest = found[1], found[2], found[3] or ""
        given = values.get(name, "")
        assert given or kind != "?", f"{name} is needed: {rest}"
        if kind == "+":
            return rest if given else ""
        return given or (rest if kind == "-" else "")

    return VARIABLE.sub(value, text)


def make_secrets(addresses: Mapping[str, str]) -> dict[str, str]:
    """Make a value for each secret in the file: `addresses` of the engines, new keys, and "" for what is switched
    off."""
    keys = {}
    for name in ("certificate", "log"):
        seed = random.token_bytes(32)
        public = Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()
        keys[f"{name}_key"] = base64.b64encode(seed).decode()
        keys[f"{name}_public_keys"] = base64.b64encode(public).decode()
    made = {**keys, "secret_key": random.token_urlsafe(48), "metrics_token": random.token_hex(32), **addresses}
    return {name: made.get(name, "") for name in _document()["secrets"]}
