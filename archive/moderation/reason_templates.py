"""Texts from which admins start the reason of a flag, for each rule. Each change is logged with a hash of the text.

A flag has a copy of its reason, so changing a template changes no flag.
"""

import hashlib
import json

from django.db import IntegrityError, transaction

from archive import log
from archive.errors import Conflict, Refused
from archive.log import Actor, events
from archive.models import ReasonTemplate, Rule, User
from archive.moderation.recompute import check_is_admin, validated_reason

MAX_FOR_A_RULE = 20


def list_templates() -> "dict[str, list[ReasonTemplate]]":
    """Return {code of a rule: its templates}."""
    by_rule: dict[str, list[ReasonTemplate]] = {}
    for template in ReasonTemplate.objects.all():
        by_rule.setdefault(template.rule_code, []).append(template)
    return by_rule


def add_template(rule_code: str, name: str, text: str, by: User) -> ReasonTemplate:
    """Add a template. Raises Refused, and Conflict if the rule has one of this name."""
    name, text = _validated(name, text, by)
    try:
        with transaction.atomic():
            # Locked, so that two admins who add one at the same time count each other's.
            if not Rule.objects.select_for_update().filter(code=rule_code, number=1).exists():
                raise Refused("rule.not_found", rule=rule_code)
            if ReasonTemplate.objects.filter(rule_code=rule_code).count() >= MAX_FOR_A_RULE:
                raise Refused("template.too_many", limit=MAX_FOR_A_RULE)
            added = ReasonTemplate.objects.create(rule_code=rule_code, name=name, text=text)
            _record(events.TEMPLATE_ADDED, added, by)
    except IntegrityError:
        raise Conflict("template.exists", name=name) from None
    return added


def change_template(template_id: int, name: str, text: str, by: User) -> ReasonTemplate:
    """Change the name and the text. Raises Refused, and Conflict if the rule has another one of this name."""
    name, text = _validated(name, text, by)
    try:
        with transaction.atomic():
            template = _locked(template_id)
            if (template.name, template.text) == (name, text):
                return template
            template.name, template.text = name, text
            template.save(update_fields=["name", "text"])
            _record(events.TEMPLATE_CHANGED, template, by)
    except IntegrityError:
        raise Conflict("template.exists", name=name) from None
    return template


def delete_template(template_id: int, by: User) -> None:
    """Delete a template. Flags made from it keep their reasons. Raises Refused."""
    check_is_admin(by)
    with transaction.atomic():
        template = _locked(template_id)
        _record(events.TEMPLATE_DELETED, template, by)
        template.delete()


def _locked(template_id: int) -> ReasonTemplate:
    template = ReasonTemplate.objects.select_for_update().filter(pk=template_id).first()
    if template is None:
        raise Refused("template.not_found")
    return template


def _validated(name: str, text: str, by: User) -> tuple[str, str]:
    name = name.replace("\x00", "").strip()
    text = validated_reason(text, by, "template.text_missing")
    if not 1 <= len(name) <= ReasonTemplate.MAX_NAME:
        raise Refused("template.bad_name", limit=ReasonTemplate.MAX_NAME)
    return name, text


def _record(event: str, template: ReasonTemplate, by: User) -> None:
    text = json.dumps([template.name, template.text], ensure_ascii=False, separators=(",", ":"))
    digest = hashlib.sha256(text.encode()).hexdigest()
    subject = {"template": template.pk, "rule": template.rule_code, "sha256": digest}
    log.record(event, space_id=None, actor=Actor.of(by), **subject)
