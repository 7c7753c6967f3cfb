"""ops/monitoring: alerts and dashboard use exported metrics with their labels, and docs/operations.md explains each
alert."""

import json
import re
import shutil
import subprocess
from datetime import UTC, datetime
from typing import Any

import pytest
import yaml
from django.conf import settings
from prometheus_client.metrics import MetricWrapperBase

from archive import metrics
from archive.error_messages import CATALOG
from archive.log.events import EVENTS
from archive.status import Deletions, LogStatus, Spaces, Status, StoreStatus, WorkStatus
from archive.status.events import WATCHED
from archive.status.work import PHASES, kinds
from portal import request_metrics, status_metrics
from tests.support.processes import ROOT

FOLDER = ROOT / "ops/monitoring"
RULES: list[dict[str, Any]] = [
    rule for group in yaml.safe_load((FOLDER / "alerts.yml").read_text())["groups"] for rule in group["rules"]
]
PANELS: list[dict[str, Any]] = json.loads((FOLDER / "dashboard.json").read_text())["panels"]
OPERATIONS = (ROOT / "docs/operations.md").read_text()
SECTION = OPERATIONS.partition("\n### Alerts\n")[2].partition("\n## ")[0]
SELECTOR = re.compile(r"\b(spacekeep_\w+)(?:\{([^}]*)\})?")
MATCHER = re.compile(r'(\w+)(=~|!~|!=|=)"([^"]*)"')
NOW = datetime(2026, 11, 22, 14, 5, tzinfo=UTC)
# A status with a value in every part.
FULL = Status(
    at=NOW,
    work=(WorkStatus("build_bundle", ready=1, oldest_at=NOW, problems={"storage.unreachable": 1}),),
    deletions=Deletions(1, 1, 1, NOW, 1, 1, 1, 20.0, 10.0, True),
    spaces=Spaces(1, 1, 1, 1, 1, 1),
    log=LogStatus(1, 1, NOW, NOW, 1, True, ""),
    events={"object.missing": 1},
    store=StoreStatus(NOW, (), NOW, 1, 1),
    task_runs={"dispatch": NOW},
    queues={"celery": 1},
    unreadable=(),
)


def exported() -> dict[str, tuple[set[str], set[str]]]:
    """Return {metric: (the names of its samples, its labels)}."""
    found = {}
    for family in status_metrics.StatusCollector(FULL).collect():
        names = {sample.name for sample in family.samples}
        found[family.name] = names, {label for sample in family.samples for label in sample.labels}
    suffixes = {"counter": ("_total",), "gauge": ("",), "histogram": ("_bucket", "_sum", "_count")}
    for collector in (*vars(metrics).values(), *vars(request_metrics).values()):
        if isinstance(collector, MetricWrapperBase):
            (family,) = collector.describe()
            labels = {*collector._labelnames, *({"le"} if family.type == "histogram" else ())}
            found[family.name] = {family.name + suffix for suffix in suffixes[family.type]}, labels
    return found


EXPORTED = exported()
BY_SAMPLE = {name: labels for names, labels in EXPORTED.values() for name in names}
EXPRESSIONS = {rule["alert"]: rule["expr"] for rule in RULES} | {
    f"{panel['title']} {target['refId']} ({panel['id']})": target["expr"]
    for panel in PANELS
    for target in panel.get("targets", [])
}
TASKS = {kind.task for kind in kinds()} | {
    str(entry["task"]).rpartition(".")[2] for entry in settings.CELERY_BEAT_SCHEDULE.values()
}
VALUES = {
    "task": TASKS | {"transcribe"},
    "phase": set(PHASES),
    "event": {str(event) for event in WATCHED},
    "kind": {"orphan", "ghost"},
    "code": set(CATALOG) | {"200", "304", "404", "412", "503"},
    "status": {"200", "302", "404", "500", "503"},
    "outcome": {"done", "failed", "sent", "refused", "unavailable"},
    "part": set(status_metrics.PARTS),
}


def test_all_of_it_is_looked_at() -> None:
    assert len(RULES) >= 20
    assert len(EXPRESSIONS) > len(RULES) + 30
    assert {"spacekeep_work_rows", "spacekeep_http_requests", "spacekeep_store_request_seconds"} <= set(EXPORTED)


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_an_expression_asks_for_what_is_exported(name: str) -> None:
    """Check the metrics, their labels, and values that these labels can have."""
    selectors = SELECTOR.findall(EXPRESSIONS[name])

    assert selectors or name == "SpacekeepDown"
    for metric, matchers in selectors:
        assert metric in BY_SAMPLE, metric
        for label, operator, value in MATCHER.findall(matchers):
            assert label in BY_SAMPLE[metric], (metric, label)
            for alternative in value.split("|") if "~" in operator else [re.escape(value)]:
                assert any(re.fullmatch(alternative, known) for known in VALUES[label]), (label, alternative)


def test_what_is_exported_is_shown() -> None:
    shown = {metric for panel in PANELS for target in panel.get("targets", []) for metric in names_in(target["expr"])}

    assert {family for family, (names, _) in EXPORTED.items() if not names & shown} == set()


def names_in(expression: str) -> set[str]:
    return {metric for metric, _ in SELECTOR.findall(expression)}


def test_the_documentation_names_what_is_exported() -> None:
    assert names_in(OPERATIONS.partition("\n## Monitoring\n")[2].partition("\n## ")[0]) - set(BY_SAMPLE) == set()


def test_labels_of_people_have_no_place() -> None:
    labels = {label for _, labels in EXPORTED.values() for label in labels}

    assert labels == {
        *("part", "task", "phase", "code", "state", "event", "check", "kind", "queue"),
        *("view", "method", "status", "operation", "outcome", "le"),
    }


def test_each_alert_is_explained_and_nothing_else() -> None:
    headings = re.findall(r"^#### (\w+)$", SECTION, re.MULTILINE)

    assert headings == list(dict.fromkeys(headings))
    assert set(headings) == {rule["alert"] for rule in RULES}
    for rule in RULES:
        page, _, anchor = rule["annotations"]["runbook"].partition("#")
        assert (page, anchor) == ("docs/operations.md", rule["alert"].lower())
        words = SECTION.partition(f"#### {rule['alert']}\n\n")[2]
        assert words.startswith(rule["labels"]["severity"].capitalize()), rule["alert"]
        assert rule["annotations"]["summary"]


def test_prometheus_reaches_its_targets_in_one_network_of_compose() -> None:
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    text = (FOLDER / "prometheus.yml").read_text()
    health, rest = yaml.safe_load(text)["scrape_configs"]

    (target,) = health["static_configs"][0]["targets"]
    (found,) = rest["dns_sd_configs"]
    assert target == "health:8000"
    assert f'"{services["web"]["environment"]["METRICS_PORT"]}"' == f'"${{METRICS_PORT:-{found["port"]}}}"'
    having = {name for name, service in services.items() if "metrics" in service["networks"]}
    assert having == {"health", "transcriber", *found["names"]}
    for job in (health, rest):
        (secret,) = job["authorization"].values()
        assert secret == services["health"]["environment"]["METRICS_TOKEN_FILE"]
    for words in (text, OPERATIONS):  # the network to which to add it
        assert re.search(r"network\s+`metrics`", words)
        assert not re.search(r"networks `metrics` and", words)


def test_watched_events_exist() -> None:
    assert set(WATCHED) <= set(EVENTS)


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool (Debian's package prometheus) is not installed")
def test_prometheus_fires_the_alerts_when_it_should() -> None:
    for command in (["check", "rules", "alerts.yml"], ["test", "rules", "alerts.test.yml"]):
        done = subprocess.run(["promtool", *command], cwd=FOLDER, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
