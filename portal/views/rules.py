"""The list of rules, and the templates of reasons of each rule, for admins."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from archive.errors import Refused
from archive.models import ReasonTemplate, Rule
from archive.moderation import reason_templates
from archive.moderation import rules as domain
from portal.access import is_admin, only
from portal.forms.rules import NewRuleForm, RuleForm, TemplateForm
from portal.http import SignedInRequest
from portal.presenters.moderation_tabs import moderation_tabs
from portal.reauthentication import require_reauthentication
from portal.submissions import submit


@require_http_methods(["GET", "HEAD", "POST"])
@only(is_admin)
@require_reauthentication
def rules(request: SignedInRequest) -> HttpResponse:
    """List all rules in their current version, those for new flags first. POST adds one."""
    form, status = NewRuleForm(initial={"active": True}), 200
    if request.method == "POST":
        form = NewRuleForm(request.POST)
        if submit(request, form, lambda typed: domain.add_rule(Rule(**typed), request.user)):
            messages.success(request, _("The rule was added."))
            return redirect("rule", form.cleaned_data["code"])
        status = 422
    templates = reason_templates.list_templates()
    rows = [{"rule": rule, "templates": len(templates.get(rule.code, []))} for rule in domain.list_all_rules()]
    context = {"rows": rows, "form": form, **moderation_tabs(request.user)}
    return render(request, "moderation/rules.html", context, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@only(is_admin)
@require_reauthentication
def rule(request: SignedInRequest, code: str) -> HttpResponse:
    """Show one rule and its templates. POST changes the rule."""
    current = _find(code)
    if request.method != "POST":
        return _page(request, current)
    form = RuleForm(request.POST)
    try:
        if form.is_valid():
            typed = form.cleaned_data
            domain.change_rule(code, typed["name"], typed["text"], request.user, active=typed["active"])
    except Refused as error:
        form.add_error(None, str(error))
    if form.errors:
        form.show_problems(request)
        return _page(request, current, form, status=422)
    messages.success(request, _("The rule was saved. Earlier flags keep the text that they were placed under."))
    return redirect("rule", code)


@require_POST
@only(is_admin)
@require_reauthentication
def add_template(request: SignedInRequest, code: str) -> HttpResponse:
    current, form = _find(code), TemplateForm(request.POST)

    def add(typed: dict[str, Any]) -> None:
        reason_templates.add_template(code, typed["name"], typed["text"], request.user)

    if not submit(request, form, add):
        return _page(request, current, new_template=form, status=422)
    messages.success(request, _("The template was added."))
    return redirect("rule", code)


@require_POST
@only(is_admin)
@require_reauthentication
def change_template(request: SignedInRequest, template_id: int) -> HttpResponse:
    """Change the template; with `delete`, delete it."""
    template = ReasonTemplate.objects.filter(pk=template_id).first()
    if template is None:
        raise Http404
    form = TemplateForm(request.POST)
    try:
        if "delete" in request.POST:
            reason_templates.delete_template(template_id, request.user)
            messages.success(request, _("The template was deleted."))
            return redirect("rule", template.rule_code)
        if form.is_valid():
            typed = form.cleaned_data
            reason_templates.change_template(template_id, typed["name"], typed["text"], request.user)
    except Refused as error:
        form.add_error(None, str(error))
    if form.errors:
        form.show_problems(request)
        return _page(request, _find(template.rule_code), templates={template_id: form}, status=422)
    messages.success(request, _("The template was saved."))
    return redirect("rule", template.rule_code)


def _find(code: str) -> Rule:
    current = domain.list_all_rules().filter(code=code).first()
    if current is None:
        raise Http404
    return current


def _page(
    request: SignedInRequest,
    current: Rule,
    form: RuleForm | None = None,
    *,
    new_template: TemplateForm | None = None,
    templates: dict[int, TemplateForm] | None = None,
    status: int = 200,
) -> HttpResponse:
    """Render the page of a rule. `templates` has refused forms, by the template's id."""
    initial = {"name": current.name, "text": current.text, "active": current.active}
    rows = [
        {
            "template": row,
            "form": (templates or {}).get(row.pk) or TemplateForm(initial={"name": row.name, "text": row.text}),
        }
        for row in reason_templates.list_templates().get(current.code, [])
    ]
    context = {
        "rule": current,
        "form": form or RuleForm(initial=initial),
        "templates": rows,
        "new_template": new_template or TemplateForm(),
        **moderation_tabs(request.user),
    }
    return render(request, "moderation/rule.html", context, status=status)
