"""Read the state of the audio player on its page, and collect browser errors."""

from playwright.sync_api import Page

from tests.support.waiting import wait_until


class ConsoleErrors:
    """Collect console errors and warnings: script errors, CSP violations, failed requests."""

    def __init__(self, page: Page) -> None:
        self.messages: list[str] = []
        page.on("console", lambda body: self.messages.append(body.text) if body.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: self.messages.append(str(error)))


def current_time(page: Page) -> float:
    """Return the playback position in seconds."""
    return float(page.evaluate("document.querySelector('audio').currentTime"))


def is_playing(page: Page) -> bool:
    return bool(page.evaluate("!document.querySelector('audio').paused"))


def wait_for_time(page: Page, seconds: float, within: float = 1.5) -> None:
    wait_until(
        lambda: abs(current_time(page) - seconds) < within,
        f"the sound is at {seconds} s and not at {current_time(page)}",
    )


def highlighted_line(page: Page) -> str:
    """Return the text of the highlighted transcript line."""
    return str(page.evaluate("document.querySelector('[data-lines] .now > p > span')?.textContent ?? ''"))


def is_line_in_view(page: Page) -> bool:
    """Return whether the highlighted line is visible below the player."""
    return bool(
        page.evaluate(
            """() => {
              const bar = document.querySelector('.listen-bar').getBoundingClientRect();
              const line = document.querySelector('[data-lines] .now').getBoundingClientRect();
              return line.top >= bar.bottom - 1 && line.bottom <= innerHeight + 1;
            }"""
        )
    )


def assert_waveform_drawn(page: Page) -> None:
    """Check that wavesurfer drew in the colors of several speakers, and that the CSP allowed its style sheet."""
    page.wait_for_selector(".track.waved")
    drawn = page.evaluate(
        """() => {
          const root = document.querySelector('.wave > div').shadowRoot;
          const canvas = root.querySelector('.canvases canvas');
          const pixels = canvas.getContext('2d').getImageData(0, canvas.height / 2 - 1, canvas.width, 1).data;
          const colors = new Set();
          for (let at = 0; at < pixels.length; at += 4) {
            if (pixels[at + 3] === 255) colors.add([...pixels.slice(at, at + 3)].join());
          }
          return [colors.size, getComputedStyle(root.querySelector('.progress')).position];
        }"""
    )
    assert drawn[0] >= 4  # three speakers, and a line without one
    assert drawn[1] == "absolute"


def search_matches(page: Page, name: str = "found") -> list[str]:
    """Return the highlighted search matches in the transcript, in order."""
    matches: list[str] = page.evaluate(
        """name => [...(CSS.highlights.get(name) ?? [])].map(
          range => range.startContainer.data.slice(range.startOffset, range.endOffset))""",
        name,
    )
    return matches


def waveform_marks(page: Page) -> list[float]:
    """Return the positions of the search marks on the waveform, in percent of its width."""
    return [
        float(x.rstrip("%"))
        for x in page.locator(".hit:not(.now)").evaluate_all("all => all.map(one => one.getAttribute('x'))")
    ]
