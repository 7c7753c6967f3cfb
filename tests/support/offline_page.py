"""Open a bundle's offline page from disk, in a browser without a network."""

from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Dialog, Page, Request


class OfflinePage:
    """The offline page in `folder`. Collects its requests, those that its CSP blocked, console messages and dialogs."""

    def __init__(self, chromium: Browser, folder: Path, *, query: str = "", **options: Any) -> None:
        context = chromium.new_context(**options)
        context.set_offline(True)
        self.page: Page = context.new_page()
        self.console: list[str] = []
        self.page.on("console", lambda message: self.console.append(message.text))
        self.page.on("pageerror", lambda error: self.console.append(str(error)))
        self.requests: list[str] = []
        self.blocked: list[str] = []
        self.dialogs: list[str] = []
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("requestfailed", self._refused)
        self.page.on("dialog", self._dismiss)
        self.data = folder / "data"
        self.address = f"{(self.data / 'index.html').as_uri()}{query}"
        self.page.goto(self.address)

    def _refused(self, request: Request) -> None:
        if request.failure == "csp":
            self.blocked.append(request.url)

    def _dismiss(self, dialog: Dialog) -> None:
        self.dialogs.append(dialog.message)
        dialog.dismiss()

    @property
    def other_requests(self) -> list[str]:
        """Return requests for anything but the page itself, the audio files beside it, and data: URLs."""
        mine = {
            self.address,
            *(path.as_uri() for path in self.data.iterdir() if path.stem in ("recording", "access-copy")),
        }
        return [address for address in self.requests if address not in mine and not address.startswith("data:")]
