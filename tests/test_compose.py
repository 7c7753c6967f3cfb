"""docker-compose.yml confines each service, and gives it exactly the secrets and networks that it needs."""

import base64
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import environ
import pytest
import yaml
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from kombu.utils import url as kombu_url

from portal import process_metrics, processes, settings
from tests.image import _compose, _dockerfile
from tests.support.processes import ROOT

COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, Any] = COMPOSE["services"]
OPERATIONS = (ROOT / "docs/operations.md").read_text()
ENGINES = ("postgres", "valkey", "seaweedfs", "proxy")
OURS = sorted(set(SERVICES) - set(ENGINES))
NETWORKS = {
    "postgres": {"database"},
    "valkey": {"broker"},
    "seaweedfs": {"store", "store_front"},
    "proxy": {"front", "portal"},
    "prepare": {"database", "store", "outside"},
    "web": {"portal", "database", "broker", "store", "outside", "metrics"},
    "health": {"portal", "database", "broker", "metrics"},
    "worker": {"database", "broker", "store", "outside", "metrics"},
    "deleter": {"database", "broker", "store", "outside", "metrics"},
    "transcriber": {"database", "broker", "store", "metrics"},
    "beat": {"broker"},
}


@pytest.mark.parametrize("name", SERVICES)
def test_every_service_is_confined(name: str) -> None:
    service = SERVICES[name]

    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["read_only"] is True
    assert 0 < service["pids_limit"] <= 512
    assert re.fullmatch(r"(\$\{[A-Z_]+:-)?[1-9][0-9]*[mg]\}?", service["mem_limit"])
    assert not {"privileged", "devices", "network_mode", "pid", "ipc", "userns_mode"} & set(service)
    assert not any("docker.sock" in str(volume) for volume in service.get("volumes", []))


@pytest.mark.parametrize("name", SERVICES)
def test_only_entry_points_that_change_the_user_have_capabilities(name: str) -> None:
    needed = ["CHOWN", "DAC_OVERRIDE", "FOWNER", "SETGID", "SETUID"] if name in {"postgres", "seaweedfs"} else None

    assert SERVICES[name].get("cap_add") == needed


def test_every_service_has_the_networks_of_what_it_talks_to() -> None:
    assert {name: set(service["networks"]) for name, service in SERVICES.items()} == NETWORKS
    inside = {name: network["internal"] for name, network in COMPOSE["networks"].items() if network}
    assert inside == {
        "portal": True,
        "database": "${DATABASE_IS_HERE:-true}",
        "broker": "${BROKER_IS_HERE:-true}",
        "store": "${STORE_IS_HERE:-true}",
        "metrics": True,
    }
    assert set(COMPOSE["networks"]) - set(inside) == {"front", "store_front", "outside"}


def test_web_believes_the_proxy_alone() -> None:
    """Workers and engines share networks with the proxy, and can reach web's port."""
    environment = SERVICES["web"]["environment"]
    neighbors = {name for name, networks in NETWORKS.items() if networks & NETWORKS["web"]} - {"web"}

    assert {"worker", "postgres", "proxy"} <= neighbors
    assert (environment["BEHIND_PROXY"], environment["PROXY_ADDRESSES"]) == (1, "proxy")
    assert NETWORKS["proxy"] & NETWORKS["web"] == {"portal"}  # so the name resolves to one address there


def test_a_process_with_a_port_for_metrics_uses_it_and_no_other_does(monkeypatch: pytest.MonkeyPatch) -> None:
    """METRICS_PORT may be in a settings file that all processes share (ops/kubernetes/settings.env)."""
    monkeypatch.setenv("METRICS_PORT", "9100")
    using = []
    for process in processes.ALL:
        monkeypatch.setenv("PROCESS", process)
        using += [process] if process_metrics.is_on() else []

    assert using == [name for name in processes.ALL if name in OURS and "METRICS_PORT" in SERVICES[name]["environment"]]
    assert set(using) == {"web", "worker", "deleter", "transcriber"}


def test_only_the_proxy_and_the_store_publish_a_port() -> None:
    published = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}

    assert published == {
        "proxy": ["${WEB_PORT:-127.0.0.1:8000}:8080"],
        "seaweedfs": ["${S3_PORT:-127.0.0.1:8333}:8333"],
    }


@pytest.mark.parametrize("name", OURS)
def test_a_process_has_its_secrets_and_no_others(name: str) -> None:
    environment = SERVICES[name]["environment"]
    process = environment["PROCESS"]
    needed = {secret for secret, by in processes.NEEDED_BY.items() if process in by}

    files = {
        variable.removesuffix("_FILE"): file for variable, file in environment.items() if variable.endswith("_FILE")
    }
    mounted = set(SERVICES[name]["secrets"])
    assert {secret for secret in files if files[secret] == f"/run/secrets/{secret.lower()}"} == set(files)
    assert {secret.upper() for secret in mounted} == needed
    assert needed <= set(files)  # the other secrets are not mounted, and processes.py lists them as not needed
    assert process == {"prepare": "setup"}.get(name, name)


def test_every_process_of_ours_is_a_service() -> None:
    assert {SERVICES[name]["environment"]["PROCESS"] for name in OURS} == set(processes.ALL)


def test_the_most_precious_secrets_are_in_one_place_each() -> None:
    having = {secret: [name for name in OURS if secret in SERVICES[name]["secrets"]] for secret in COMPOSE["secrets"]}

    assert having["certificate_key"] == ["deleter"]
    assert having["log_key"] == ["deleter"]
    assert having["database_owner_url"] == ["prepare"]
    assert having["secret_key"] == ["web", "worker"]


def test_workers_read_nothing_but_their_queues() -> None:
    """Remote control is off, too (portal/settings/work.py), so no message of another worker reaches them."""
    commands = [service["command"] for service in SERVICES.values() if "worker" in service.get("command", [])]

    assert len(commands) == 3
    assert all({"--without-gossip", "--without-mingle"} <= set(command) for command in commands)
    assert settings.CELERY_WORKER_ENABLE_REMOTE_CONTROL is False


def test_no_secret_is_in_an_environment_or_on_a_command_line() -> None:
    for name, service in SERVICES.items():
        environment = service.get("environment", {})
        bare = [key for key in environment if re.search("KEY|SECRET|PASSWORD|TOKEN|_URL$", key)]
        bare = [key for key in bare if not key.endswith(("_FILE", "_COMMAND"))]
        assert set(bare) <= {
            "BREACHED_PASSWORD_LIST",
            *("SITE_URL", "S3_ENDPOINT_URL", "S3_PUBLIC_ENDPOINT_URL", "LIVEKIT_URL"),
            *("LIVEKIT_API_KEY", "LIVEKIT_S3_ENDPOINT_URL", "LIVEKIT_S3_ACCESS_KEY_ID"),  # names, not secrets
            *("LOG_S3_ENDPOINT_URL", "LOG_S3_ACCESS_KEY_ID", "LOG_TSA_URL", "S3_KMS_KEY_ID"),
        }, name
        assert not re.search("pass|secret_key|token", json.dumps(service.get("command", "")).lower()), name


def settings_read() -> set[str]:
    code = "".join(path.read_text() for path in (ROOT / "portal" / "settings").glob("*.py"))
    # portal/env.py reads one of them, portal/log_lines.py the other.
    return {"PROCESS", "LOG_LEVEL", *re.findall(r'env\.\w+\(\s*"([A-Z0-9_]+)"', code)}


def without_source(name: str) -> str:
    return name.removesuffix("_FILE").removesuffix("_COMMAND")


def test_every_setting_can_be_set_and_no_other() -> None:
    """Compose does not pass a setting that its file does not name, so the setting would keep its default whatever .env
    contains."""
    read = settings_read()
    passed = {without_source(name) for service in OURS for name in SERVICES[service]["environment"]}

    assert "RETENTION_DAYS" in read
    # The image sets the folders, and nobody debugs in it.
    assert read - passed == {"DEBUG", "SPOOL_DIR", "STATIC_ROOT"}
    assert passed - read == set()


def test_every_setting_is_documented_and_no_other() -> None:
    table = OPERATIONS.partition("\n## Settings\n")[2].partition("\n## ")[0]
    cells = [line.split(" | ")[0] for line in table.splitlines() if line.startswith("| `")]
    documented = {without_source(name) for cell in cells for name in re.findall("`([A-Z0-9_]+)`", cell)}

    assert settings_read() - documented == {"DEBUG"}
    assert documented - settings_read() == set()


def test_every_variable_of_compose_is_documented() -> None:
    """This includes variables that are not settings, or have another name than their setting."""
    read = set(re.findall(r"\$\{([A-Z0-9_]+)", (ROOT / "docker-compose.yml").read_text()))
    documents = OPERATIONS + (ROOT / "docs/production.env.example").read_text()

    assert {name for name in read if not re.search(rf"\b{name}\b", documents)} == set()


def test_without_profiles_no_engine_starts_and_nothing_waits_for_one() -> None:
    """Each engine can be a managed service instead."""
    engines = {"postgres", "valkey", "seaweedfs"}
    assert {name: SERVICES[name].get("profiles") for name in engines} == {name: [name] for name in engines}
    waiting = [
        (name, needed, condition.get("required", True))
        for name, service in SERVICES.items()
        for needed, condition in service.get("depends_on", {}).items()
        if needed in engines
    ]

    assert {needed for _, needed, _ in waiting} == engines
    assert [name for name, _, required in waiting if required] == []
    assert COMPOSE["x-env"]["S3_ENDPOINT_URL"] == "${S3_ENDPOINT_URL:-http://seaweedfs:8333}"
    example = (ROOT / "docs/production.env.example").read_text()
    assert "\nCOMPOSE_PROFILES=postgres,valkey,seaweedfs\n" in example


def test_what_needs_time_to_stop_has_it() -> None:
    """Docker kills a container after 10 seconds by default."""
    grace = {name: service["stop_grace_period"] for name, service in SERVICES.items() if "stop_grace_period" in service}

    assert grace == {
        "postgres": "60s",
        "seaweedfs": "90s",
        "web": "35s",
        **dict.fromkeys(("worker", "deleter", "transcriber"), "60s"),
    }


def test_beside_the_s3_gateway_the_store_listens_to_itself_only() -> None:
    command = SERVICES["seaweedfs"]["command"]

    assert "-volume.max=0" in command  # as many as fit on the disk
    for option in ("-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-s3.ip.bind=0.0.0.0", "-disableHttp", "-s3.iam=false"):
        assert option in command
    assert {"source": "security.toml", "target": "/etc/seaweedfs/security.toml"} in SERVICES["seaweedfs"]["secrets"]


@pytest.fixture
def made(tmp_path: Path) -> Path:
    """The secrets that compose/make-secrets.sh creates in a copy of the folder."""
    (tmp_path / "compose").mkdir()
    shutil.copy(ROOT / "compose/make-secrets.sh", tmp_path / "compose")
    make(tmp_path)
    return tmp_path / "secrets"


def make(folder: Path) -> None:
    subprocess.run([folder / "compose/make-secrets.sh"], check=True, capture_output=True)


def test_the_script_makes_every_secret_that_compose_names(made: Path) -> None:
    files = {secret["file"] for secret in COMPOSE["secrets"].values()}

    assert {f"./secrets/{path.name}" for path in made.iterdir()} == files
    assert made.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in made.iterdir()} == {0o444}
    empty = {"email_url", "secret_key_fallbacks", "oidc_client_secret", "x_client_secret"}
    empty |= {"livekit_api_secret", "livekit_s3_secret_access_key", "log_s3_secret_access_key"}
    assert {path.name for path in made.iterdir() if not path.stat().st_size} == empty


def test_made_secrets_fit_each_other(made: Path) -> None:
    values = {path.name: path.read_text().strip() for path in made.iterdir()}
    seed = Ed25519PrivateKey.from_private_bytes(base64.b64decode(values["certificate_key"]))
    log_seed = Ed25519PrivateKey.from_private_bytes(base64.b64decode(values["log_key"]))
    assert base64.b64decode(values["log_public_keys"]) == log_seed.public_key().public_bytes_raw()

    assert base64.b64decode(values["certificate_public_keys"]) == seed.public_key().public_bytes_raw()
    assert (
        values["database_url"] == f"postgres://spacekeep:{values['postgres_portal_password']}@postgres:5432/spacekeep"
    )
    assert values["broker_url"] == f"redis://:{values['valkey_password']}@valkey:6379/0"
    assert valkey_password(values["valkey.conf"]) == values["valkey_password"]
    (identity,) = json.loads(values["s3.json"])["identities"]
    assert identity["credentials"] == [
        {"accessKey": values["s3_access_key_id"], "secretKey": values["s3_secret_access_key"]}
    ]
    certificate = x509.load_pem_x509_certificate(values["store.crt"].encode())
    key = load_pem_private_key(values["store.key"].encode(), None)
    assert key.public_key() == certificate.public_key()
    keys = re.findall(r'^key = "([0-9a-f]{64})"$', values["security.toml"], re.MULTILINE)
    assert len(set(keys)) == 4
    random = [
        values[name] for name in ("secret_key", "postgres_password", "postgres_owner_password", *["valkey_password"])
    ]
    assert len(set(random)) == 4
    assert min(map(len, random)) == 64


def test_a_second_run_changes_nothing(made: Path) -> None:
    before = {path.name: path.read_bytes() for path in made.iterdir()}

    make(made.parent)

    assert {path.name: path.read_bytes() for path in made.iterdir()} == before


def valkey_password(configuration: str) -> str:
    (escaped,) = re.findall(r'^requirepass "((?:\\x[0-9a-f]{2})+)"$', configuration, re.MULTILINE)
    return bytes.fromhex(escaped.replace(r"\x", "")).decode()


def test_a_password_of_your_own_may_have_any_characters(tmp_path: Path) -> None:
    password = "a$b@c/d:e %41\"'\\#?é"
    shutil.copytree(ROOT / "compose", tmp_path / "compose")
    (tmp_path / "secrets").mkdir()
    for name in ("postgres_portal_password", "postgres_owner_password", "valkey_password"):
        (tmp_path / "secrets" / name).write_text(f"{password}\n")

    make(tmp_path)

    made = {path.name: path.read_text() for path in (tmp_path / "secrets").iterdir()}
    assert environ.Env.db_url_config(made["database_url"])["PASSWORD"] == password
    assert environ.Env.db_url_config(made["database_owner_url"])["PASSWORD"] == password
    assert kombu_url.parse_url(made["broker_url"])["password"] == password
    assert valkey_password(made["valkey.conf"]) == password


def test_the_image_has_a_user_of_its_own_and_no_pip() -> None:
    runs = [each.text for each in _dockerfile.last_stage() if each.name == "RUN"]

    assert _dockerfile.user() == "spacekeep"
    (made,) = [run for run in runs if "useradd" in run]
    assert "--uid 10001 spacekeep" in made  # as in ops/kubernetes/confined.yaml
    assert "--system" not in made  # Debian's system users end at 999: useradd would warn
    (installed,) = [run for run in runs if "pip install" in run]
    assert "--require-hashes" in installed
    assert installed.split("&&")[1].split()[:3] == ["pip", "uninstall", "--yes"]


def test_the_image_says_what_it_is() -> None:
    (labels,) = [each.text for each in _dockerfile.last_stage() if each.name == "LABEL"]
    named = re.findall(r"org\.opencontainers\.image\.(\w+)=", labels)

    assert named == ["title", "description", "licenses", "version", "revision"]
    assert set(_dockerfile.arguments()) == {"REQUIREMENTS", "VERSION", "REVISION"}


@pytest.mark.parametrize(
    ("text", "value"),
    {
        "${SET}/${UNSET}": "1/",
        "${SET:-2}${UNSET:-2}${EMPTY:-3}": "123",
        "${SET:+4}${UNSET:+4}${EMPTY:+4}": "4",
        "${SET:?it is needed}": "1",
    }.items(),
)
def test_variables_are_read_as_compose_reads_them(text: str, value: str) -> None:
    """`make image-test` reads docker-compose.yml with this function to start the services."""
    assert _compose.substitute(text, {"SET": "1", "EMPTY": ""}) == value
