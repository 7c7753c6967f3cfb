"""systemd units and Kubernetes manifests run the same processes as docker-compose.yml, with the same secrets."""

import os
import re
import runpy
import shutil
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
SYSTEMD, KUBERNETES, MANAGE = ROOT / "ops/systemd", ROOT / "ops/kubernetes", ROOT / "ops/kubernetes-manage"
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
DOCKERFILE = (ROOT / "Dockerfile").read_text()
OPERATIONS = (ROOT / "docs/operations.md").read_text()
# Differences between a host, where all processes share the addresses, and containers.
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
    """Return the directives of a unit, each with all of its values."""
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
    assert not {"RestrictNamespaces", "SystemCallFilter"} & set(directives)  # the decoder's sandbox needs these


@pytest.mark.parametrize("process", ["web", "setup"])
def test_spacekeep_manage_gives_a_command_the_secrets_of_a_unit(tmp_path: Path, process: str) -> None:
    """A stand-in for systemd-run executes its options for files and variables."""
    (tmp_path / ".venv/bin").mkdir(parents=True)
    for name, text in {"systemd-run": SYSTEMD_RUN, ".venv/bin/python": "#!/bin/sh\necho $@\nexec env\n"}.items():
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)
    script = (SYSTEMD / "spacekeep-manage").read_text()
    for old, new in {"/etc/systemd/system": str(SYSTEMD), "/opt/spacekeep": str(tmp_path)}.items():
        assert old in script
        script = script.replace(old, new)
    env = {"PATH": f"{tmp_path}:/usr/bin:/bin", "UNIT": process, "CREDENTIALS": str(tmp_path)}

    command = ["sh", "-c", script, "spacekeep-manage", "account", "grant", "a b"]
    done = subprocess.run(command, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True)

    assert done.stdout.startswith("manage.py account grant a b\n")
    variables = dict(line.split("=", 1) for line in done.stdout.splitlines()[1:])
    assert variables["PROCESS"] == process
    files = {name.removesuffix("_FILE"): path for name, path in variables.items() if name.endswith("_FILE")}
    assert files == {name: f"{tmp_path}/credentials/{name.lower()}" for name in secrets_of(process)}


# The real one needs systemd as PID 1.
SYSTEMD_RUN = """#!/bin/sh
mkdir "$CREDENTIALS/credentials"
while :; do
    case $1 in
        --property=LoadCredential=*) name=${1#*=*=}; touch "$CREDENTIALS/credentials/${name%%:*}" ;;
        --setenv=*) export "${1#--setenv=}" ;;
        --working-directory=*) cd "${1#*=}" ;;
        --property=EnvironmentFile=/etc/spacekeep/environment | --uid=spacekeep) ;;
        --quiet | --wait | --collect | --pipe) ;;
        -*) echo "$1?" >&2; exit 1 ;;
        *) break ;;
    esac
    shift
done
export CREDENTIALS_DIRECTORY="$CREDENTIALS/credentials"
exec "$@"
"""


def test_no_setting_of_an_example_replaces_what_a_unit_sets() -> None:
    """In systemd, variables of an EnvironmentFile override Environment=, whatever the order."""
    own = {line.split("=")[0] for process in processes.ALL for line in unit(process)["Environment"]}
    example = (ROOT / "docs/production.env.example").read_text()
    settings = set(re.findall(r"^#? ?([A-Z][A-Z0-9_]*)=", example, re.MULTILINE))

    assert {"PROCESS", "SPOOL_DIR", "LOG_KEY_FILE"} <= own
    assert "SITE_URL" in settings
    assert own & settings == set()
    for process in processes.ALL:
        assert unit(process)["EnvironmentFile"] == ["/etc/spacekeep/environment"]


def memory(process: str) -> str:
    """Return a quantity in Compose's notation, "4G"."""
    (limit,) = re.findall(r"(\d+[gm])\}?$", compose_service(process)["mem_limit"])
    return str(limit).upper()


@pytest.mark.parametrize("process", processes.ALL)
def test_a_manifest_is_the_service_of_compose(process: str) -> None:
    spec = pod(process)
    (container,) = spec["containers"]
    environment = {variable["name"]: variable["value"] for variable in container["env"]}
    (secret,) = (volume["secret"] for volume in spec["volumes"] if "secret" in volume)

    assert container["name"] == "app"  # confined.yaml refers to this one
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
    patches = {patch["path"]: patch["target"] for patch in kustomization["patches"]}
    files = {path.name for path in KUBERNETES.glob("*.yaml")} - {"kustomization.yaml", *patches}

    assert (
        set(kustomization["resources"]) == files == {f"{name}.yaml" for name in (*processes.ALL, "proxy", "services")}
    )
    assert labelled(patches["confined.yaml"]) == {*processes.ALL}
    named = [file for config in kustomization["configMapGenerator"] for file in config.get("files", config.get("envs"))]
    assert [file for file in named if not (KUBERNETES / file).exists()] == []
    errors = {f"../../proxy/errors/{path.name}" for path in (ROOT / "proxy/errors").iterdir()}
    assert errors <= set(named)


def labelled(target: dict[str, str]) -> set[str]:
    """Return the processes to which a patch applies."""
    label, value = target["labelSelector"].split("=")
    manifests = {name: yaml.safe_load((KUBERNETES / f"{name}.yaml").read_text()) for name in processes.ALL}
    return {name for name, manifest in manifests.items() if manifest["metadata"]["labels"].get(label) == value}


def test_in_kubernetes_too_web_and_workers_wait_for_the_tables_and_after_a_restore() -> None:
    """Compose does the same. Beat needs no database, and the health process reports what is missing."""
    (patch,) = (
        patch
        for patch in yaml.safe_load((KUBERNETES / "kustomization.yaml").read_text())["patches"]
        if patch["path"] == "waiting.yaml"
    )
    (shared,) = yaml.safe_load((KUBERNETES / "waiting.yaml").read_text())["spec"]["template"]["spec"]["initContainers"]
    (common,) = yaml.safe_load((KUBERNETES / "confined.yaml").read_text())["spec"]["template"]["spec"]["containers"]

    waiting = labelled(patch["target"])
    assert waiting == {name for name in processes.ALL if "initContainers" in pod(name)}
    assert waiting == {"web", "worker", "deleter", "transcriber"}
    for process in waiting:
        (wait,), (app,) = pod(process)["initContainers"], pod(process)["containers"]
        assert wait == {"name": shared["name"], "env": app["env"], "volumeMounts": app["volumeMounts"]}
    migrate, _, restore_check = compose_service("setup")["command"][-1].split(" && ")
    assert migrate.startswith("python manage.py migrate ")
    assert shared["args"][-1] == f"until python manage.py migrate --check && {restore_check}; do sleep 10; done"
    assert {key: shared[key] for key in ("image", "envFrom", "securityContext")} == {
        key: common[key] for key in ("image", "envFrom", "securityContext")
    }


def test_in_kubernetes_nobody_is_believed_before_proxy_env_names_the_ingress() -> None:
    (name,) = re.findall(r"^PROXY_FRONT=(.*)$", (KUBERNETES / "proxy.env").read_text(), re.MULTILINE)

    assert COMPOSE["proxy"]["environment"]["PROXY_FRONT"] == f"${{PROXY_FRONT:-{name}}}"


def test_in_kubernetes_the_proxy_stays_in_service_while_something_behind_it_is_down() -> None:
    """The proxy shows users what is down, so its probes must not depend on anything behind it."""
    (container,) = yaml.safe_load((KUBERNETES / "proxy.yaml").read_text())["spec"]["template"]["spec"]["containers"]
    (port,) = container["ports"]

    for probe in ("readinessProbe", "livenessProbe"):
        assert container[probe]["tcpSocket"] == {"port": port["containerPort"]}
        assert "httpGet" not in container[probe]


def build(folder: Path) -> list[dict[str, Any]]:
    """The manifests that kubectl makes of it."""
    command = ["kubectl", "kustomize", "--load-restrictor", "LoadRestrictionsNone", str(folder)]
    built = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return list(yaml.safe_load_all(built))


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl is not installed")
def test_the_job_for_commands_is_the_job_setup_that_waits() -> None:
    """ops/kubernetes/spacekeep-manage starts this job and runs manage.py in it, so that restore_check needs no edited
    file."""
    all_but_job, all_of_manage = ([one for one in build(path) if one["kind"] != "Job"] for path in (KUBERNETES, MANAGE))
    (setup,), (job,) = ([one for one in build(path) if one["kind"] == "Job"] for path in (KUBERNETES, MANAGE))

    assert all_of_manage == all_but_job, "it needs the same settings, of the same name"
    assert (job["metadata"]["name"], job["metadata"]["labels"]["app"]) == ("manage", "manage")
    assert [one for one in all_of_manage if one["metadata"].get("labels", {}).get("app") == "manage"] == []
    (ours,), (theirs,) = (each["spec"]["template"]["spec"].pop("containers") for each in (job, setup))
    assert ours.pop("args") == ["sleep", str(job["spec"].pop("activeDeadlineSeconds"))]
    theirs.pop("args")
    assert ours == theirs
    assert job["spec"]["template"]["spec"].pop("restartPolicy") == "Never"
    setup["spec"]["template"]["spec"].pop("restartPolicy")
    assert job["spec"]["template"] == setup["spec"]["template"]


def test_the_program_that_starts_it_is_a_script_that_is_documented() -> None:
    program = KUBERNETES / "spacekeep-manage"

    subprocess.run(["sh", "-n", str(program)], check=True)
    assert os.access(program, os.X_OK)
    assert "/../kubernetes-manage" in program.read_text()
    assert "--selector=app=manage" in program.read_text()
    assert "ops/kubernetes/spacekeep-manage restore_check --apply" in OPERATIONS


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl is not installed")
def test_kustomize_builds_pods_that_are_all_confined() -> None:
    pods = {
        manifest["metadata"]["name"]: manifest["spec"]["template"]["spec"]
        for manifest in build(KUBERNETES)
        if "template" in manifest.get("spec", {})
    }
    assert set(pods) == {*processes.ALL, "proxy"}
    for name, spec in pods.items():
        assert spec["automountServiceAccountToken"] is False
        for container in (*spec["containers"], *spec.get("initContainers", [])):
            assert container["securityContext"]["readOnlyRootFilesystem"] is True, name
            assert container["image"] != "spacekeep"
            assert container["envFrom"]


def test_the_target_starts_every_process_but_the_optional_one() -> None:
    wanted = re.findall(r"spacekeep-(\w+)\.service", (SYSTEMD / "spacekeep.target").read_text().partition("[Unit]")[2])

    assert set(wanted) == {"proxy", *processes.ALL} - {"transcriber"}
    assert {path.name for path in SYSTEMD.iterdir()} == {
        "spacekeep-manage",
        "spacekeep.target",
        *(f"spacekeep-{process}.service" for process in ("proxy", *processes.ALL)),
    }


def proxy_configuration(**environment: str) -> str:
    """The configuration that proxy/configure.py writes for a host with systemd."""
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
    """Two tables of docs/operations.md, "Processes": commands, and secrets."""
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
    """.dockerignore excludes everything that it does not name."""
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
