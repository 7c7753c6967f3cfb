"""Run the portal's web process behind the proxy of `make run`."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from embedded.nginx import Addresses, Nginx
from embedded.state import State
from tests.support.processes import Services, free_port
from tests.support.waiting import answers, wait_until


@dataclass(frozen=True)
class Proxied:
    nginx: Nginx
    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def nginx_before(folder: Path, web: str, health: str, site: str = "", **more: str) -> Iterator[Proxied]:
    """Start nginx with its files in `folder`, in front of these addresses."""
    port = free_port()
    addresses = Addresses(port, web, health, site, **more)
    nginx = Nginx(folder, State(folder / "nginx.json"), folder, lambda: None, addresses)
    nginx.start()
    try:
        yield Proxied(nginx, port)
    finally:
        nginx.stop(hurry=lambda: True)


@contextmanager
def portal_behind_nginx(services: Services, folder: Path, **env: str) -> Iterator[Proxied]:
    """Start web process, health check and nginx. `env` changes the web process's settings."""
    if env:
        web, port = "web", free_port()
        options = ("--worker-class=gthread", "--workers=1", "--threads=8", "--no-control-socket")
        services.start(web, "-m", "gunicorn", "portal.wsgi", f"--bind=127.0.0.1:{port}", *options, **env)
    else:
        services.web()
        port = services.port
    health = free_port()
    services.start("health", "-m", "gunicorn", "portal.health", f"--bind=127.0.0.1:{health}", "--no-control-socket")
    with nginx_before(folder, f"127.0.0.1:{port}", f"127.0.0.1:{health}") as proxied:
        wait_until(lambda: answers(f"{proxied.url}/healthz"), "the health check answers")
        wait_until(lambda: answers(f"{proxied.url}/accounts/login/"), "the web process answers")
        yield proxied
