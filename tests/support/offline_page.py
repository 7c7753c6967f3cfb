"""The page of a bundle as its host opens it: from the disk, in a browser that has no network."""

from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Dialog, Page, Request


class OfflinePage:
    """`folder` is the bundle's; `asked` has all addresses that the page requested, `refused` those that its policy
    blocked, `said` the console's messages."""

    def __init__(self, chromium: Browser, folder: Path, *, query: str = "", **options: Any) -> None:
        context = chromium.new_context(**options)
        context.set_offline(True)
        self.page: Page = context.new_page()
        self.said: list[str] = []
        self.page.on("console", lambda message: self.said.append(message.text))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.asked: list[str] = []
        self.refused: list[str] = []
        self.dialogs: list[str] = []
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.on("requestfailed", self._refused)
        self.page.on("dialog", self._dismiss)
        self.data = folder / "data"
        self.address = f"{(self.data / 'index.html').as_uri()}{query}"
        self.page.goto(self.address)

    def _refused(self, request: Request) -> None:
        if request.failure == "csp":
            self.refused.append(request.url)

    def _dismiss(self, dialog: Dialog) -> None:
        self.dialogs.append(dialog.message)
        dialog.dismiss()

    @property
    def asked_elsewhere(self) -> list[str]:
        """Addresses other than its own and those of the sounds beside it; what stands in the page itself aside."""
        mine = {
            self.address,
            *(path.as_uri() for path in self.data.iterdir() if path.stem in ("recording", "access-copy")),
        }
        return [address for address in self.asked if address not in mine and not address.startswith("data:")]
