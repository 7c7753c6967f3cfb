"""The list of rules that a Space can break. Each change is logged; a changed name or text makes a new version.

Changes of a rule are serialized by a lock on the row of its first version.
"""

import hashlib
import json

from django.db import transaction
from django.db.models import Case, QuerySet, When

from archive import log
from archive.errors import Conflict, Refused
from archive.log import Actor, events
from archive.models import Rule, User
from archive.moderation.recompute import check_is_admin

OTHER = "other"  # the rule of flags whose reason alone says what is wrong


def list_rules() -> QuerySet[Rule]:
    """Return the rules for new flags, in their current version, by name; OTHER comes last."""
    is_other = Case(When(code=OTHER, then=1), default=0)
    return Rule.objects.filter(active=True, current=True).order_by(is_other, "name")


def list_all_rules() -> QuerySet[Rule]:
    """Return all rules in their current version: first those for new flags."""
    return Rule.objects.filter(current=True).order_by("-active", *Rule._meta.ordering or ["name"])


def add_rule(rule: Rule, by: User) -> Rule:
    """Add a rule with a code that no rule has or had. Raises Refused."""
    check_is_admin(by)
    with transaction.atomic():
        if Rule.objects.filter(code=rule.code).exists():
            raise Conflict("rule.exists", rule=rule.code)
        added = Rule.objects.create(code=rule.code, name=rule.name, text=rule.text, active=rule.active)
        _record(events.RULE_ADDED, added, by)
    return added


def change_rule(code: str, name: str, text: str, by: User, *, active: bool) -> Rule:
    """Return the current version after the change: a new one if the name or the text differs. Raises Refused."""
    check_is_admin(by)
    with transaction.atomic():
        if not Rule.objects.select_for_update().filter(code=code, number=1).exists():
            raise Refused("rule.not_found", rule=code)
        rule = Rule.objects.get(code=code, current=True)
        if (rule.name, rule.text, rule.active) == (name, text, active):
            return rule
        if (rule.name, rule.text) == (name, text):
            rule.active = active
            rule.save(update_fields=["active"])
        else:
            Rule.objects.filter(pk=rule.pk).update(current=False)
            rule = Rule.objects.create(code=code, number=rule.number + 1, name=name, text=text, active=active)
        _record(events.RULE_CHANGED, rule, by)
    return rule


def _record(event: str, rule: Rule, by: User) -> None:
    """Log the change, with a hash that later proves which text the version had."""
    text = json.dumps([rule.name, rule.text], ensure_ascii=False, separators=(",", ":"))
    log.record(
        event,
        space_id=None,
        actor=Actor.of(by),
        rule=rule.code,
        rule_version=rule.number,
        active=rule.active,
        sha256=hashlib.sha256(text.encode()).hexdigest(),
    )
