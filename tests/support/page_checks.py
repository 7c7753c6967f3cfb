"""Check a page in a browser: no findings of axe, nothing wider than the window, no layout shift while the page loads,
and no errors in the console (such as violations of the Content-Security-Policy)."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page

from embedded.place import NODE_MODULES

MOST_SHIFT = 0.01
TIME_ZONE = "Asia/Kolkata"
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
SHIFT = """() => new Promise(resolve => {
  const moved = [];
  new PerformanceObserver(list => list.getEntries().forEach(({ value, sources }) => moved.push([
    value, sources.map(({ node }) => (node?.nodeType === 1 ? node : node?.parentElement)?.outerHTML.slice(0, 100)),
  ]))).observe({ type: 'layout-shift', buffered: true });
  setTimeout(() => resolve(moved), 100);
})"""
# Each outermost element that extends beyond the right edge of the window.
WIDE = """() => document.documentElement.scrollWidth <= innerWidth ? [] : [...document.body.querySelectorAll('*')]
  .filter(element => element.getBoundingClientRect().right > innerWidth + 1).slice(0, 3)
  .map(element => element.outerHTML.slice(0, 160)).concat(`${document.documentElement.scrollWidth} px`)"""
# `preload` would copy style sheets into <style> elements, which the Content-Security-Policy refuses.
AXE = """async tags => {
  const { violations } = await axe.run(document, { runOnly: tags, resultTypes: ['violations'], preload: false });
  return violations.flatMap(({ id, nodes }) =>
    nodes.map(({ html, any }) => `${id}: ${html.slice(0, 160)} ${any[0]?.message ?? ''}`.trim()));
}"""
# The end of a transition can start one of an element that inherits the color.
END_TRANSITIONS = """async () => {
  for (let round = 0; round < 20; round += 1) {
    const running = document.getAnimations().filter(animation => animation instanceof CSSTransition);
    for (const transition of running) transition.finish();
    await new Promise(resolve => requestAnimationFrame(resolve));
    if (running.length === 0 && round > 0) return;
  }
}"""
# Remove the names of <details>, which allow one to be open at a time. Explanations close each other and cover what is
# below them, so they become static, or a link below would be measured half covered.
OPEN = """() => {
  for (const details of document.querySelectorAll('main details')) Object.assign(details, { name: '', open: true });
  for (const { style } of document.querySelectorAll('main .why > div')) {
    Object.assign(style, { position: 'static', width: 'auto' });
  }
}"""


@cache
def axe_source() -> str:
    return (NODE_MODULES / "axe-core" / "axe.min.js").read_text()


@dataclass(frozen=True)
class Screen:
    width: int
    height: int

    def open_context(self, chromium: Browser, **options: Any) -> BrowserContext:
        """Return a new window with an empty cache; a phone's if it is narrow."""
        is_phone = self.width < 500
        return chromium.new_context(
            viewport={"width": self.width, "height": self.height},
            color_scheme="light",
            timezone_id=TIME_ZONE,
            has_touch=is_phone,
            is_mobile=is_phone,
            **options,
        )


class PageCheck:
    """Load one page, and collect its `problems`, each a line of text."""

    def __init__(self, page: Page, status: int = 200) -> None:
        self.page, self.status, self.problems = page, status, list[str]()
        page.on("console", self._on_console)
        page.on("pageerror", lambda error: self.problems.append(f"script: {error}"))

    def _on_console(self, message: ConsoleMessage) -> None:
        """Collect console errors, except Chromium's line about the page itself when its status is not 200."""
        if message.type != "error" or re.search(rf"status of ({self.status}|422) ", message.text):
            return
        self.problems.append(f"console: {message.text} {message.location['url']}")

    def load(self, url: str, act: Callable[[Page], None] | None = None) -> None:
        answer = self.page.goto(url, wait_until="load")
        assert answer is not None
        if answer.status != self.status:
            self.problems.append(f"status {answer.status} in place of {self.status}")
        self.page.wait_for_load_state("networkidle")
        self._check_shift()
        if act is not None:
            act(self.page)
            self.page.wait_for_load_state("networkidle")

    def _check_shift(self) -> None:
        moved = self.page.evaluate(SHIFT)
        if sum(value for value, _ in moved) >= MOST_SHIFT:
            self.problems.extend(f"moves by {value:.3f}: {nodes}" for value, nodes in moved)

    def check(self, scheme: str) -> None:
        """Check the page in its current state and one color scheme. Ends transitions, since axe would measure colors in
        between."""
        self.page.emulate_media(color_scheme="dark" if scheme == "dark" else "light", reduced_motion="reduce")
        self.page.evaluate(END_TRANSITIONS)
        self.problems.extend(f"too wide: {element}" for element in self.page.evaluate(WIDE))
        if not self.page.evaluate("'axe' in window"):
            self.page.evaluate(axe_source())
        self.problems.extend(f"{scheme}: {finding}" for finding in self.page.evaluate(AXE, TAGS))

    def open_everything(self) -> None:
        """Open all <details> and explanations like "Why this date?"."""
        self.page.evaluate(OPEN)

    def save(self, folder: str, name: str) -> None:
        self.page.screenshot(path=Path(folder, f"{name}.png"), full_page=True)
