"""Paths in a checkout."""

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DATA = ROOT / ".data"
LOGS = DATA / "logs"
MAIL = DATA / "mail"
ENV_FILE = DATA / "env"
RUN_LOCK = DATA / "run.lock"
NODE_MODULES = ROOT / "node_modules"
