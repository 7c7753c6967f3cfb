"""systemd's units and Kubernetes' manifests run the same processes as docker-compose.yml, with the same secrets."""

import re
import runpy
import subprocess
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
import yaml

from embedded.nginx import find_binary
from portal import processes
from tests.support.processes import free_port

ROOT = Path(__file__).parents[1]
SYSTEMD, KUBERNETES = ROOT / "ops/systemd", ROOT / "ops/kubernetes"
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
DOCKERFILE = (ROOT / "Dockerfile").read_text()
OPERATIONS = (ROOT / "docs/operations.md").read_text()
# What differs between a host, where all share the addresses, and containers.
PLACE = re.compile(r"--(?:bind|hostname|schedule)=\S*")


def compose_service(process: str) -> dict[str, Any]:
    service: dict[str, Any] = COMPOSE["prepare" if process == "setup" else process]
    return service


def compose_command(process: str) -> list[str]:
    command = compose_service(process).get("command") or yaml.safe_load(DOCKERFILE.rpartition("\nCMD ")[2])
    return without_place(command)


def without_place(command: list[str]) -> list[str]:
    return [part for part in command if not PLACE.fullmatch(part)]


def unit(process: str) -> dict[str, list[str]]:
    """The directives of a unit, each with all its values."""
    directives = defaultdict(list)
    for line in (SYSTEMD / f"spacekeep-{process}.service").read_text().splitlines():
        if line and not line.startswith(("#", "[")):
            name, _, value = line.partition("=")
            directives[name].append(value)
    return directives


def pod(process: str) -> dict[str, Any]:
    manifest = yaml.safe_load((KUBERNETES / f"{process}.yaml").read_text())
    spec: dict[str, Any] = manifest["spec"]["template"]["spec"]
    return spec


def secrets_of(process: str) -> set[str]:
    return {secret for secret, needed_by in processes.NEEDED_BY.items() if process in needed_by}


@pytest.mark.parametrize("process", processes.ALL)
def test_a_unit_is_the_service_of_compose(process: str) -> None:
    directives = unit(process)
    commands = [
        without_place(line.removeprefix("/opt/spacekeep/.venv/bin/").split()) for line in directives["ExecStart"]
    ]
    environment = dict(line.split("=", 1) for line in directives["Environment"])
    credentials = dict(line.split(":") for line in directives["LoadCredential"])

    joined = " && ".join(" ".join(command) for command in commands)
    assert joined == " ".join(compose_command(process)).removeprefix("sh -c ")
    assert environment.pop("PROCESS") == process
    environment.pop("SPOOL_DIR", None)
    assert environment.pop("BEHIND_PROXY", None) == ("1" if process == "web" else None)
    assert environment == {f"{name}_FILE": f"%d/{name.lower()}" for name in secrets_of(process)}
    assert credentials == {name.lower(): f"/etc/spacekeep/secrets/{name.lower()}" for name in secrets_of(process)}
    assert directives["MemoryMax"] == [memory(process)]
    if process != "setup":
        assert directives["TimeoutStopSec"] == [compose_service(process).get("stop_grace_period", "10s")]
    for name, value in {"NoNewPrivileges": "yes", "ProtectSystem": "strict", "CapabilityBoundingSet": ""}.items():
        assert directives[name] == [value]
    assert not {"RestrictNamespaces", "SystemCallFilter"} & set(directives)  # the decoder's sandbox needs them


def memory(process: str) -> str:
    """As compose has it, "4G"."""
    (limit,) = re.findall(r"(\d+[gm])\}?$", compose_service(process)["mem_limit"])
    return str(limit).upper()


@pytest.mark.parametrize("process", processes.ALL)
def test_a_manifest_is_the_service_of_compose(process: str) -> None:
    spec = pod(process)
    (container,) = spec["containers"]
    environment = {variable["name"]: variable["value"] for variable in container["env"]}
    (secret,) = (volume["secret"] for volume in spec["volumes"] if "secret" in volume)

    assert container["name"] == "app"  # confined.yaml is about this one
    assert without_place(container["args"]) == compose_command(process)
    assert environment.pop("PROCESS") == process
    assert environment == {f"{name}_FILE": f"/run/secrets/{name.lower()}" for name in secrets_of(process)}
    assert {item["key"] for item in secret["items"]} == {name.lower() for name in secrets_of(process)}
    assert all(item["key"] == item["path"] for item in secret["items"])
    assert container["resources"]["limits"]["memory"] == f"{memory(process)}i"
    if process != "setup":
        grace = compose_service(process).get("stop_grace_period", "10s")
        assert f"{spec['terminationGracePeriodSeconds']}s" == grace


def test_the_kustomization_has_every_file_and_confines_every_pod_of_ours() -> None:
    kustomization = yaml.safe_load((KUBERNETES / "kustomization.yaml").read_text())
    (patch,) = kustomization["patches"]
    files = {path.name for path in KUBERNETES.glob("*.yaml")} - {"kustomization.yaml", patch["path"]}

    assert (
        set(kustomization["resources"]) == files == {f"{name}.yaml" for name in (*processes.ALL, "proxy", "services")}
    )
    label, value = patch["target"]["labelSelector"].split("=")
    for process in processes.ALL:
        assert yaml.safe_load((KUBERNETES / f"{process}.yaml").read_text())["metadata"]["labels"][label] == value
    named = [file for config in kustomization["configMapGenerator"] for file in config.get("files", config.get("envs"))]
    assert [file for file in named if not (KUBERNETES / file).exists()] == []
    errors = {f"../../proxy/errors/{path.name}" for path in (ROOT / "proxy/errors").iterdir()}
    assert errors <= set(named)


def test_the_target_starts_every_process_but_the_optional_one() -> None:
    wanted = re.findall(r"spacekeep-(\w+)\.service", (SYSTEMD / "spacekeep.target").read_text().partition("[Unit]")[2])

    assert set(wanted) == {"proxy", *processes.ALL} - {"transcriber"}
    assert {path.name for path in SYSTEMD.iterdir()} == {
        "spacekeep-manage",
        "spacekeep.target",
        *(f"spacekeep-{process}.service" for process in ("proxy", *processes.ALL)),
    }


def proxy_configuration(**environment: str) -> str:
    """What proxy/configure.py writes for a host with systemd."""
    text: str = runpy.run_path(str(ROOT / "proxy/configure.py"))["configuration"](environment)
    return text


def accepted_by_nginx(folder: Path, text: str) -> subprocess.CompletedProcess[str]:
    (folder / "nginx.conf").write_text(text)
    command = [str(find_binary()), "-t", "-e", "stderr", "-p", f"{folder}/", "-c", "nginx.conf"]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_proxy_of_a_host_is_configured_by_its_settings(tmp_path: Path) -> None:
    text = proxy_configuration(SITE_URL="https://spaces.example.org:8443", PROXY_LISTEN=f"127.0.0.1:{free_port()}")

    assert re.findall(r"\$\{PROXY_\w+", text) == []
    assert 'map ",spaces.example.org,|$host"' in text
    checked = accepted_by_nginx(tmp_path, text)
    assert checked.returncode == 0, checked.stderr


def test_the_documentation_lists_the_same_processes_with_their_secrets() -> None:
    """docs/operations.md, "Processes": a table of commands, and one of secrets."""
    section = OPERATIONS.partition("\n## Processes\n")[2].partition("\n## ")[0]
    listed = re.findall(r"^\| (\w+) \| `([^`]+)`", section, re.MULTILINE)

    assert {name for name, _ in listed} == set(processes.ALL) - {"setup"}
    for name, command in listed:
        assert set(command.split()) <= {*compose_command(name)}, name
    rows = re.findall(r"^\| ((?:`[A-Z0-9_]+`(?:, )?)+) \| (.+) \|$", section, re.MULTILINE)
    documented = {name: who_needs(cell) for names, cell in rows for name in re.findall("`([A-Z0-9_]+)`", names)}
    assert documented == processes.NEEDED_BY


def who_needs(cell: str) -> set[str]:
    without_reasons = re.sub(r"\([^)]*\)", "", cell)
    named = {name for name in processes.ALL if re.search(rf"\b{name}\b", without_reasons)}
    return set(processes.ALL) - named if without_reasons.startswith("all but") else named


def test_the_image_gets_every_file_that_it_copies() -> None:
    """.dockerignore leaves out everything that it does not name."""
    allowed = [line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    copied = [
        source
        for line in re.findall(r"^COPY (?!--from)(.+)$", DOCKERFILE, re.MULTILINE)
        for source in line.split()[:-1]
    ]

    missing = [
        source
        for source in copied
        if not any(source == path or source.startswith(f"{path}/") or path.startswith(f"{source}/") for path in allowed)
    ]
    assert missing == []
