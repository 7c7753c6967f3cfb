"""`manage.py`: the overview of our own commands, by purpose, and one line instead of a traceback while the database is
down."""

import sys

from django.core.management import ManagementUtility, get_commands
from django.db import Error

from archive import database_errors

GROUPS = {
    "Recordings": ("ingest", "arrivals", "bundle", "token"),
    "Moderation": ("review", "flag", "lift", "decide", "hold", "release", "admit"),
    "Deadlines and deletion": ("sweep", "simulate_policy", "replay_log", "restore_check"),
    "The retention log": ("verify_log", "export_log", "log_copies", "signing_keys"),
    "The object store": ("setup_store", "reconcile"),
    "Accounts": (
        *("account", "createsuperuser", "changepassword", "reset_second_factors"),
        *("export_person", "close_account"),
    ),
    "Installation": ("wait_for_engines", "migrate", "check", "collectstatic", "reencrypt_secrets"),
    "Evaluation": ("demo",),
}
OWN_APPS = ("archive", "portal")


class Utility(ManagementUtility):
    """Django's utility with our list of commands and our line about a database that is down."""

    def execute(self) -> None:
        try:
            super().execute()
        except Error as error:  # Django's checks of models ask the database before a command starts
            if not database_errors.is_unreachable(error) or "--traceback" in self.argv:
                raise
            sys.exit(f"CommandError: {database_errors.describe_unreachable(error)}")

    def main_help_text(self, commands_only: bool = False) -> str:
        if commands_only:  # for completion in shells
            return super().main_help_text(commands_only=True)
        lines = [f"Usage: {self.prog_name} COMMAND, and {self.prog_name} COMMAND --help for its options."]
        for title, names in GROUPS.items():
            lines += ["", title]
            lines += [f"    {name:21}{self._summary(name)}" for name in names]
        known = {name for names in GROUPS.values() for name in names}
        own = [name for name, app in get_commands().items() if self._is_own(app) and name not in known]
        if own:
            lines += ["", "More", f"    {', '.join(sorted(own))}"]
        lines += ["", f"Django has more, most of them for developers: {self.prog_name} help --commands"]
        return "\n".join(lines)

    def _summary(self, name: str) -> str:
        """Return the first sentence of the command's help."""
        text = " ".join(self.fetch_command(name).help.split())
        return text.partition(". ")[0].rstrip(".") + "."

    def _is_own(self, app: object) -> bool:
        return app in OWN_APPS
