"""How soon a recording can be played: part of pages.py. Import it only after Django has its settings.

The time runs from the navigation to the sound, with an empty cache, for a reader who presses "Play" as soon as it is
enabled. The first load only warms up the web process and is not counted.
"""

import statistics
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Browser

from archive.models import User
from archive.storage import store
from archive.storage.bucket import prepare_bucket
from embedded.chromium import browser
from tests import plugin
from tests.bench import Figure, at_most, without_goal
from tests.support.factory import make_user
from tests.support.http_clients import session_cookie
from tests.support.playable_spaces import make_playable_space
from tests.support.processes import Services
from tests.support.reused_processes import Web

PRESS_AND_LISTEN = """
document.addEventListener("playing", () => { window.playsAfter ??= performance.now(); }, true);
const press = () => {
  const button = document.querySelector("button.go:enabled");
  if (button) button.click();
  else requestAnimationFrame(press);
};
press();
"""


def time_to_play(folder: Path, loads: int) -> Iterator[Figure]:
    listener = User.objects.filter(username="listener").first() or make_user("listener")  # in engines lent to this run
    space = make_playable_space(listener, peaks=[0.1, 0.6, 0.3, 1.0] * 250)
    cookie = session_cookie(listener)
    services = Services(folder, plugin.engines)
    try:
        services.web()
        prepare_bucket(store(), services.url)
        with browser() as chromium:
            address = f"{services.url}/spaces/{space.pk}/"
            times = [_load(chromium, cookie, address) for _ in range(loads + 1)][1:]
        yield at_most("page_plays_after", round(statistics.median(times)), "ms", 1000)
        yield without_goal("page_plays_after_slowest", round(max(times)), "ms")
    finally:
        services.stop()
        Web.kill()
        space.delete()


def _load(chromium: Browser, cookie: str, address: str) -> float:
    """Return milliseconds."""
    context = chromium.new_context()  # with an empty cache
    name, _, value = cookie.partition("=")
    context.add_cookies([{"name": name, "value": value, "url": address}])
    page = context.new_page()
    page.add_init_script(PRESS_AND_LISTEN)
    page.goto(address)
    took = page.wait_for_function("window.playsAfter").json_value()
    context.close()
    return float(took)
