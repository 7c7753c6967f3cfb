"""Shared parts of forms: lenient fields, and bound fields that render as attributes of hand-written HTML."""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from django import forms
from django.core.exceptions import ValidationError
from django.forms import BoundField
from django.forms.utils import flatatt
from django.http import HttpRequest
from django.utils.functional import lazy
from django.utils.safestring import SafeString

from archive import error_messages
from archive.moderation.recompute import LONGEST_REASON
from portal.section_messages import add_error


def render_sentence(code: str, **params: object) -> str:
    """Return the sentence of archive/error_messages for a code."""
    return error_messages.render({"code": code, "params": params})


lazy_sentence = lazy(render_sentence, str)


class AttributesBoundField(BoundField):
    """A field for templates that write the element themselves:
    `<input {{ form.name.attributes }} value="{{ form.name.text }}">`."""

    @property
    def attributes(self) -> SafeString:
        """`name`, and `required`, `maxlength`, `min`, `max`, `aria-invalid` where they apply."""
        return flatatt({"name": self.html_name, **self.build_widget_attrs(self.field.widget.attrs)})

    @property
    def text(self) -> Any:
        """The typed value, or the initial one."""
        value = self.value()
        return "" if value is None else value


class PortalForm(forms.Form):
    bound_field_class = AttributesBoundField

    def __init__(self, data: Any = None, **options: Any) -> None:
        super().__init__(data, auto_id=False, **options)

    @property
    def problems(self) -> list[str]:
        """Return each error once, in the order of the fields."""
        return list(dict.fromkeys(str(error) for errors in self.errors.values() for error in errors))

    def show_problems(self, request: HttpRequest, more: str = "", *, section: str = "") -> None:
        """Put the errors above the page, or into a section of it; `more` follows each."""
        for problem in self.problems:
            add_error(request, section, f"{problem}{more}")


class TextField(forms.CharField):
    """Text with `nul` in place of NUL, which PostgreSQL can't store. `sentences` maps codes of Django's errors to codes
    of archive/error_messages, so that a page and a command refuse the same text with the same sentence."""

    def __init__(self, *, sentences: Mapping[str, str] | None = None, nul: str = "", **options: Any) -> None:
        super().__init__(**options)
        self.sentences, self.nul = sentences or {}, nul

    def to_python(self, value: Any) -> Any:
        return super().to_python(value.replace("\x00", self.nul) if isinstance(value, str) else value)

    def clean(self, value: Any) -> Any:
        try:
            return super().clean(value)
        except ValidationError as error:
            raise ValidationError([self._explain(one) for one in error.error_list]) from None

    def _explain(self, error: ValidationError) -> ValidationError:
        code = self.sentences.get(str(error.code))
        if code is None:
            return error
        params = {"length": (error.params or {}).get("show_value"), "limit": self.max_length}
        return ValidationError(render_sentence(code, **params), code=str(error.code))


class LongTextField(TextField):
    """Text of several lines."""

    widget = forms.Textarea(attrs={"rows": False, "cols": False})


class ReasonField(LongTextField):
    """The reason of a moderation action."""

    def __init__(self, missing: str = "moderation.reason_missing", *, required: bool = True) -> None:
        sentences = {"required": missing, "max_length": "moderation.reason_too_long"}
        super().__init__(max_length=LONGEST_REASON, sentences=sentences, required=required)


class LenientIntegerField(forms.IntegerField):
    """A number in a URL. Never an error, because URLs are edited and cut off: anything but a number within the limits
    gives `default`."""

    def __init__(self, *, default: int, min_value: int, max_value: int) -> None:
        super().__init__(required=False, min_value=min_value, max_value=max_value)
        self.default = default

    def clean(self, value: Any) -> int:
        try:
            number = super().clean(value)
        except ValidationError:
            number = None
        return self.default if number is None else number


class LenientChoiceField(forms.ChoiceField):
    """A choice in a URL. Never an error: anything else gives `default`."""

    def __init__(self, *, default: str, choices: Any) -> None:
        super().__init__(required=False, choices=choices)
        self.default = default

    def clean(self, value: Any) -> str:
        try:
            return str(super().clean(value) or self.default)
        except ValidationError:
            return self.default


class TextListField(forms.Field):
    """The values of all inputs of one name, as they were sent."""

    widget = forms.MultipleHiddenInput

    def to_python(self, value: Iterable[str] | None) -> list[str]:
        return list(value or [])


class IdListField(TextListField):
    """Distinct ids, at most `most`; other text is ignored. A value can contain several ids, separated by blanks."""

    def __init__(self, *, most: int) -> None:
        super().__init__(required=False)
        self.most = most

    def clean(self, value: Iterable[str] | None) -> list[UUID]:
        ids: dict[UUID, None] = {}
        for text in " ".join(super().clean(value)).split()[: self.most]:
            try:
                ids[UUID(text)] = None
            except ValueError:
                continue
        return list(ids)
