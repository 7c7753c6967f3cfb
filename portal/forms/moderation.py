"""Forms of moderation: flags, lifts, appeals, decisions, holds."""

from typing import Any

from django import forms

from archive.errors import Refused
from archive.models import Appeal, Rule
from archive.moderation.evidence import Lines, parse
from archive.moderation.holds import READER
from portal.forms.base import (
    IdListField,
    LenientIntegerField,
    LongTextField,
    PortalForm,
    ReasonField,
    TextField,
    TextListField,
)

MAX_SPACES = 50  # Spaces that one address can name
MAX_TYPED_LINES = 2000  # characters of "12, 14-16"


class RuleField(forms.ModelChoiceField):  # type: ignore[type-arg]
    """An active rule, by its code."""

    def __init__(self) -> None:
        errors = {
            "required": "Choose the rule that it broke.",
            "invalid_choice": "There is no such rule. Choose one of the list.",
        }
        super().__init__(Rule.objects.filter(active=True), to_field_name="code", error_messages=errors)

    def to_python(self, value: Any) -> Rule | None:
        return super().to_python(value.replace("\x00", "") if isinstance(value, str) else value)


class ChosenSpacesForm(PortalForm):
    """The Spaces that were ticked in the queue."""

    space = IdListField(most=MAX_SPACES)


class FlagForm(PortalForm):
    """A flag of one Space or of several."""

    rule = RuleField()
    reason = ReasonField("the host")


class EvidenceFlagForm(FlagForm):
    """A flag of one Space, with lines of its transcript as evidence: typed as in "12, 14-16", or ticked."""

    transcript = LenientIntegerField(default=0, min_value=0, max_value=9999)
    lines = TextField(
        required=False,
        max_length=MAX_TYPED_LINES,
        error_messages={"max_length": "The numbers of the lines have at most %(limit_value)d characters."},
    )
    line = TextListField(required=False)

    evidence: Lines | None = None

    def clean(self) -> None:
        try:
            numbers = parse(",".join([self.cleaned_data.get("lines", ""), *self.cleaned_data["line"]]))
        except Refused as error:
            self.add_error("lines", str(error))
        else:
            self.evidence = Lines(self.cleaned_data["transcript"], numbers) if numbers else None

    @property
    def ticked(self) -> set[int]:
        """The numbers of the lines that were ticked, for the page that comes back."""
        ticked = self["line"].value() or []
        return {int(text) for text in ticked if text.isascii() and text.isdigit() and len(text) < 7}


class LiftForm(PortalForm):
    reason = ReasonField("the host")


class AppealForm(PortalForm):
    statement = LongTextField(
        subject="The appeal",
        required_message="Say why the flag is wrong: whoever decides will read it.",
        max_length=Appeal.MAX_LENGTH,
    )


class DecisionForm(PortalForm):
    """The decision on an appeal, with its reason."""

    NEITHER = "Choose whether the appeal is granted or denied."

    decision = forms.ChoiceField(
        choices={"grant": "Grant", "deny": "Deny"}, error_messages={"required": NEITHER, "invalid_choice": NEITHER}
    )
    reason = ReasonField("the host")

    @property
    def granted(self) -> bool:
        return bool(self.cleaned_data["decision"] == "grant")


class HoldForm(PortalForm):
    reason = ReasonField(READER)


class ReleaseForm(PortalForm):
    reason = ReasonField(READER)
