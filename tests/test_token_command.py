"""manage.py token manages recorder tokens without a browser."""

import json

import pytest
from django.core.management import CommandError, call_command

from archive import recorders
from archive.models import LogEntry, RecorderToken, User

pytestmark = pytest.mark.django_db


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    call_command("token", *arguments)
    return capsys.readouterr().out.rstrip("\n")


def test_a_token_is_created_listed_and_revoked(admin: User, alice: User, capsys: pytest.CaptureFixture[str]) -> None:
    text = run(capsys, "create", "studio", "--host", "alice", "--by", "ada", "--days", "30")
    token = RecorderToken.objects.get()

    assert recorders.authenticate(text) == token
    assert (token.name, token.scopes, token.created_by, list(token.hosts.all())) == (
        *("studio", ["intake"], admin),
        [alice],
    )
    listed = run(capsys, "list")
    assert listed.startswith(f"{token.prefix}  works ")
    assert listed.endswith("intake  alice  studio")
    assert text not in listed
    assert run(capsys, "revoke", token.prefix, "--by", "ada") == "It does not work any more."
    assert run(capsys, "revoke", token.prefix, "--by", "ada") == "It was revoked before."
    assert recorders.authenticate(text) is None
    (fact,) = json.loads(run(capsys, "list", "--json"))["tokens"]
    assert (fact["prefix"], fact["state"], fact["hosts"]) == (token.prefix, "revoked", ["alice"])
    entries = LogEntry.objects.filter(event__startswith="token.").order_by("id")
    assert list(entries.values_list("event", "actor_kind", "actor_id")) == [
        ("token.created", "command", admin.pk),
        ("token.revoked", "command", admin.pk),
    ]


def test_json_has_the_token_and_its_prefix(admin: User, alice: User, capsys: pytest.CaptureFixture[str]) -> None:
    scopes = ("--scope", "intake", "--scope", "bundles")
    facts = json.loads(run(capsys, "create", "studio", "--host", "alice", *scopes, "--by", "ada", "--json"))

    assert facts["token"].startswith(f"{facts['prefix']}_")
    assert RecorderToken.objects.get().scopes == ["bundles", "intake"]


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["create", "studio", "--host", "alice"], "Name the recorder, its hosts, and the admin"),
        (["revoke"], "Name the token's prefix and the admin"),
        (["create", "studio", "--by", "ada"], "Name at least one host"),
        (["create", "studio", "--every-host", "--by", "alice"], "Only admins can create tokens"),
        (["create", "studio", "--host", "nobody", "--by", "ada"], "There is no user 'nobody'"),
        (["revoke", "skr_000000000000", "--by", "ada"], "There is no token 'skr_000000000000'"),
    ],
)
@pytest.mark.usefixtures("admin", "alice")
def test_what_is_wrong_is_named(arguments: list[str], problem: str) -> None:
    with pytest.raises(CommandError, match=problem):
        call_command("token", *arguments)

    assert not RecorderToken.objects.exists()
