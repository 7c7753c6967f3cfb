"""Write nginx.conf for the proxy of a host without containers: configure.py FOLDER. Settings are the environment."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

HERE = Path(__file__).resolve().parent
ADDRESSES = {
    "PROXY_LISTEN": "127.0.0.1:8000",
    "PROXY_WEB": "127.0.0.1:8002",
    "PROXY_HEALTH": "127.0.0.1:8001",
    "PROXY_FRONT": "127.0.0.1",  # what ends TLS
}


def configuration(environment: Mapping[str, str]) -> str:
    """The template with its variables replaced. Each of ADDRESSES may be in the environment."""
    site = environment["SITE_URL"]
    values = {name: environment.get(name) or default for name, default in ADDRESSES.items()}
    values |= {
        "PROXY_SITE": site,
        "PROXY_HOSTS": environment.get("ALLOWED_HOSTS") or urlsplit(site).hostname or "",
        "PROXY_HSTS_SUBDOMAINS": environment.get("HSTS_SUBDOMAINS", ""),
        "PROXY_HSTS_PRELOAD": environment.get("HSTS_PRELOAD", ""),
        "PROXY_ERRORS": str(HERE / "errors"),
    }
    text = (HERE / "nginx.conf.template").read_text()
    for name, value in values.items():
        text = text.replace(f"${{{name}}}", value)
    # Below systemd standard output is a socket, which nginx can't open by name.
    return text.replace(
        "access_log /dev/stdout", "access_log syslog:server=unix:/dev/log,nohostname,tag=spacekeep_proxy"
    )


if __name__ == "__main__":
    (Path(sys.argv[1]) / "nginx.conf").write_text(configuration(os.environ))
