"""Each reason for a deadline is one sentence, rendered at display time."""

import pytest

from archive.display.deadline_reasons import reasons_with_text, render_reason
from archive.policy import Reason, ReasonCode

SENTENCES = [
    (Reason("base", days=30), "Every recording is kept for 30 days after its Space ended."),
    (Reason("base", days=1), "Every recording is kept for 1 day after its Space ended."),
    (
        Reason("violation", days=90, total_days=120),
        "It was flagged for breaking a rule, so it is kept 90 days longer: 120 days in all.",
    ),
    (Reason("lifted"), "All flags were lifted, so the original deadline applies again."),
    (
        Reason("lift-grace", days=7),
        "It is kept at least 7 days after the last flag was lifted, so that the host can download it.",
    ),
    (Reason("lift-cap", total_days=120), "It is never kept longer than 120 days after the end."),
    (Reason("hold"), "It is on legal hold: nothing is deleted until the hold is released."),
]


@pytest.mark.parametrize(("reason", "sentence"), SENTENCES)
def test_sentence(reason: Reason, sentence: str) -> None:
    assert render_reason(reason) == sentence


def test_every_code_has_a_sentence() -> None:
    assert {reason.code for reason, _ in SENTENCES} == set(ReasonCode)


def test_unknown_code() -> None:
    with pytest.raises(ValueError, match="whim"):
        render_reason(Reason("whim"))


def test_space_json_has_code_numbers_and_sentence() -> None:
    assert reasons_with_text([Reason("hold"), Reason("base", days=30)]) == [
        {"code": "hold", "text": "It is on legal hold: nothing is deleted until the hold is released."},
        {"code": "base", "days": 30, "text": "Every recording is kept for 30 days after its Space ended."},
    ]
