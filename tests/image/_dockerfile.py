"""Read the Dockerfile: the instructions of its last stage, and the files that .dockerignore excludes."""

import json
import re
import shlex
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCKERFILE = ROOT / "Dockerfile"


@dataclass(frozen=True)
class Instruction:
    """For example, `RUN --mount=type=bind echo 1` has the flags {"mount": "type=bind"} and the text `echo 1`."""

    name: str
    text: str
    flags: dict[str, str] = field(default_factory=dict)


def last_stage() -> list[Instruction]:
    """Return the instructions from its FROM on."""
    lines = [line for line in DOCKERFILE.read_text().splitlines() if not line.lstrip().startswith("#")]
    joined = "\n".join(lines).replace("\\\n", " ")
    instructions = [_parse(line) for line in joined.splitlines() if line.strip()]
    first = max(place for place, each in enumerate(instructions) if each.name == "FROM")
    return instructions[first:]


def _parse(line: str) -> Instruction:
    name, _, text = line.strip().partition(" ")
    flags = {}
    while found := re.match(r"\s*--([a-z]+)=(\S+)\s+", text):
        flags[found[1]] = found[2]
        text = text[found.end() :]
    return Instruction(name.upper(), text.strip(), flags)


def python_version() -> str:
    """Return the version of the base image, such as 3.13."""
    (base,) = (each.text for each in last_stage() if each.name == "FROM")
    found = re.fullmatch(r"python:(\d+\.\d+)-slim", base)
    assert found, f"FROM {base} names no version of Python"
    return found[1]


def arguments() -> dict[str, str]:
    """Return the defaults of the build arguments."""
    pairs = (each.text.partition("=") for each in last_stage() if each.name == "ARG")
    return {name: "".join(shlex.split(value)) for name, _, value in pairs}


def environment() -> dict[str, str]:
    words = [word for each in last_stage() if each.name == "ENV" for word in shlex.split(each.text)]
    return dict(word.split("=", 1) for word in words)


def command() -> list[str]:
    """Return the command that the image runs by default: the web process."""
    (text,) = (each.text for each in last_stage() if each.name == "CMD")
    return list(json.loads(text))


def user() -> str:
    (name,) = (each.text for each in last_stage() if each.name == "USER")
    return name


def is_left_out(path: str) -> bool:
    """Return whether .dockerignore excludes a file or folder from a folder that it includes."""
    patterns = (ROOT / ".dockerignore").read_text().splitlines()
    return any(
        fnmatch(path, pattern) or fnmatch(f"/{path}", pattern.replace("**", "*"))
        for pattern in patterns
        if pattern and pattern != "*" and not pattern.startswith(("!", "#"))
    )
