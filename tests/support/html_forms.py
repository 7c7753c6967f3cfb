"""Read a form from a page, as a browser without JavaScript would send it."""

from html.parser import HTMLParser
from typing import Any


class FormReader(HTMLParser):
    """Collects the fields of the form with this action, without its fragment. "" for a form without an action."""

    def __init__(self, action: str) -> None:
        super().__init__()
        self.action, self.inside, self.is_found = action, False, False
        self.fields: dict[str, str] = {}
        self.select = self.area = ""

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        given = dict(attrs)
        name, value = given.get("name", ""), given.get("value") or ""
        if tag == "form":
            self.inside = (given.get("action") or "").partition("#")[0] == self.action
            self.is_found |= self.inside
        elif not self.inside:
            return
        elif tag == "select":
            self.select = name
        elif tag == "option" and self.select and ("selected" in given or self.select not in self.fields):
            self.fields[self.select] = value
        elif tag == "textarea":
            self.area, self.fields[name] = name, ""
        elif tag == "input" and name and (given.get("type") not in ("checkbox", "radio") or "checked" in given):
            self.fields[name] = value if "value" in given else "on"

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self.inside = False
        elif tag == "select":
            self.select = ""
        elif tag == "textarea":
            self.area = ""

    def handle_data(self, data: str) -> None:
        if self.inside and self.area:
            self.fields[self.area] += data


def read_form(page: bytes, action: str = "") -> dict[str, str]:
    reader = FormReader(action)
    reader.feed(page.decode())
    assert reader.is_found, f"no form has the action {action!r}"
    return reader.fields
