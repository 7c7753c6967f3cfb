"""Certificates of deletion, for pages."""

from typing import Any

from archive.audit.certificates import CertificateView, parse_time
from archive.display.deadline_reasons import name_reason
from archive.log import events
from portal.presenters.log import rule_names_by_version, summarize


def certificate_line(view: CertificateView) -> dict[str, Any]:
    """A row of the list."""
    return {"certificate": view, "reasons": ", ".join(name_reason(code) for code in view.codes)}


def certificate_details(view: CertificateView) -> dict[str, Any]:
    """The context of certificates/page.html."""
    document = view.document
    deletion = document["deletion"]
    rule_names = rule_names_by_version()
    return {
        **certificate_line(view),
        "document": document,
        "policy": document["policy"],
        "began_at": parse_time(deletion["began_at"]),
        "is_abandoned": deletion["why"] == "abandoned",
        "attempts": deletion["attempts"],
        "listed_by": deletion["listed_by"],
        "found": [{**one, "at": parse_time(one["at"])} for one in deletion["found"]],
        "removed": deletion["removed"],
        "decisions": [
            {
                "number": one["entry"],
                "at": parse_time(one["at"]),
                "label": events.find(one["event"]).label,
                "summary": summarize(one["event"], one["detail"], rule_names),
            }
            for one in document["decisions"]
        ],
    }
