from typing import Any

from django.core.management.base import CommandError, CommandParser

from archive import dbtime, recorders
from archive.formatting import format_time
from archive.management.base import Command as Base
from archive.management.base import add_by, find_user
from archive.models import RecorderToken

MISSING = {
    "create": "Name the recorder, its hosts, and the admin who is responsible: "
    "manage.py token create studio --host NAME --by ADMIN",
    "revoke": "Name the token's prefix and the admin: manage.py token revoke skr_... --by ADMIN",
}


class Command(Base):
    help = (
        "Create, list or revoke tokens of recorders. `create` prints the token, this once: only its hash is stored. "
        "Each change is an entry of the retention log."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("action", choices=["create", "list", "revoke"], help="what to do")
        parser.add_argument(
            "name", nargs="?", metavar="NAME", help="create: the recorder; revoke: the prefix (skr_...)"
        )
        parser.add_argument("--host", action="append", default=[], metavar="NAME", help="its hosts; repeat for several")
        parser.add_argument("--every-host", action="store_true", help="it may upload for every host")
        parser.add_argument("--days", type=int, default=90, help="how long it is valid; by default 90")
        parser.add_argument(
            "--scope",
            action="append",
            choices=RecorderToken.Scope.values,
            help="what it may do; repeat for several; by default intake",
        )
        add_by(parser, required=False)

    def run(self, **options: Any) -> None:
        action = options["action"]
        if action == "list":
            return self._list(as_json=options["json"])
        if not options["name"] or not options["by"]:
            raise CommandError(MISSING[action])
        return self._create(options) if action == "create" else self._revoke(options)

    def _create(self, options: dict[str, Any]) -> None:
        token, text = recorders.create_token(
            options["name"],
            options["days"],
            find_user(options["by"]),
            [find_user(name) for name in options["host"]],
            options["scope"] or [RecorderToken.Scope.INTAKE],
            for_anybody=options["every_host"],
        )
        self.print_result(text, {"prefix": token.prefix, "token": text}, as_json=options["json"])

    def _revoke(self, options: dict[str, Any]) -> None:
        token = RecorderToken.objects.filter(prefix=options["name"]).first()
        if token is None:
            raise CommandError(f"There is no token {options['name']!r}. List them with: manage.py token list")
        changed = recorders.revoke(token.pk, find_user(options["by"]))
        text = "It does not work any more." if changed else "It was revoked before."
        self.print_result(text, {"prefix": token.prefix, "changed": changed}, as_json=options["json"])

    def _list(self, *, as_json: bool) -> None:
        now = dbtime.now()
        tokens = RecorderToken.objects.select_related("created_by").prefetch_related("hosts", "created_by__groups")
        facts = [
            {
                "prefix": token.prefix,
                "name": token.name,
                "state": recorders.state(token, now).value,
                "scopes": token.scopes,
                "hosts": None if token.for_anybody else [host.username for host in token.hosts.all()],
                "expires_at": token.expires_at.isoformat(),
                "last_used_at": token.last_used_at and token.last_used_at.isoformat(),
            }
            for token in tokens
        ]
        lines = [
            f"{token.prefix}  {fact['state']:17}  until {format_time(token.expires_at)}  {', '.join(token.scopes)}  "
            f"{'every host' if fact['hosts'] is None else ', '.join(fact['hosts'])}  {token.name}"
            for token, fact in zip(tokens, facts, strict=True)
        ]
        self.print_result("\n".join(lines or ["There is no token."]), {"tokens": facts}, as_json=as_json)
