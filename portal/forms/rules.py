"""Forms of the list of rules and of the templates of reasons."""

from django import forms

from archive.models import ReasonTemplate, Rule
from archive.moderation.recompute import LONGEST_REASON
from portal.forms.base import LongTextField, PortalForm, TextField


class RuleForm(PortalForm):
    """The name and the text of a rule, and whether new flags can use it."""

    name = TextField(max_length=Rule._meta.get_field("name").max_length)
    text = LongTextField(required=False, max_length=4000)
    active = forms.BooleanField(required=False)


class NewRuleForm(RuleForm):
    code = forms.SlugField(max_length=Rule._meta.get_field("code").max_length)


class TemplateForm(PortalForm):
    """The name and the text of a template. The domain checks them (archive/moderation/reason_templates.py)."""

    name = TextField(max_length=ReasonTemplate.MAX_NAME)
    text = LongTextField(
        max_length=LONGEST_REASON,
        sentences={"required": "template.text_missing", "max_length": "moderation.reason_too_long"},
    )
