"""Every page of the site in the states that look different: the user, the address, and what the user does there."""

from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import parse_qsl

from django.urls import reverse
from playwright.sync_api import Page

from archive.models import Space, User
from portal.forms.lists import QUEUE_ORDERS, QUEUE_TABS, SPACE_FILTERS, SPACE_ORDERS
from tests.support.factory import PASSWORD
from tests.support.page_world import PageWorld
from tests.support.search_urls import search_url

# Error pages that no address shows: name -> template and context.
ERROR_PAGES: dict[str, tuple[str, dict[str, str]]] = {
    **{name: (f"{name}.html", {}) for name in ("400", "403", "500")},
    **{name: ("unavailable.html", {"what": name}) for name in ("database", "store", "missing", "second_factor")},
    "too-many-requests": ("too_many_requests.html", {"text": "There were too many requests. Try again in 40 seconds."}),
}
THREE_SPACES = "?space={open}&space={flagged}&space={held}"
HOST, ADMIN, AUDITOR = "alice", "ada", "otto"


@dataclass(frozen=True)
class Visit:
    """`who`: a user name, "" for a signed-out visitor. `route`: the name of a URL pattern, or a path. `of`: the
    attribute of the world with the parts of the address. `query`: as in the address; {open} is the id of that Space.
    `words`: a search for them. `act` brings the page into its state, and `state` names it."""

    who: str
    route: str
    of: str = ""
    query: str = ""
    words: str = ""
    status: int = 200
    state: str = ""
    act: Callable[[Page], None] | None = None

    @property
    def name(self) -> str:
        """A unique name that can be a file name."""
        parts = (self.route, self.of, self.query, self.words, self.state, self.who or "visitor")
        text = " ".join(part for part in parts if part)
        return "-".join("".join(letter if letter.isalnum() else " " for letter in text).split())

    def path(self, world: PageWorld) -> str:
        path = self.route if self.route.startswith("/") else reverse(self.route, args=self._arguments(world))
        query = self.query.format_map(_Ids(world))
        if self.words:
            more = dict(parse_qsl(query.removeprefix("?")))
            return search_url(User.objects.get(username=self.who), self.words, path, **more)
        return path + query

    def _arguments(self, world: PageWorld) -> list[object]:
        value = getattr(world, self.of) if self.of else []
        if isinstance(value, Space | User):
            return [value.pk]
        return list(value) if isinstance(value, tuple | list) else [value]


class _Ids(dict[str, object]):
    """The ids of the world's Spaces, by their names."""

    def __init__(self, world: PageWorld) -> None:
        super().__init__()
        self.world = world

    def __missing__(self, name: str) -> object:
        return getattr(self.world, name).pk


def _submit(name: str) -> Callable[[Page], None]:
    """Send the form with this button, also with empty required fields, which the browser would not send."""

    def act(page: Page) -> None:
        page.evaluate("() => { for (const form of document.forms) form.noValidate = true; }")
        page.locator("main").get_by_role("button", name=name, exact=True).first.click()
        page.wait_for_load_state("load")

    return act


def _sign_in_as(name: str, password: str) -> Callable[[Page], None]:
    def act(page: Page) -> None:
        page.get_by_label("User name or e-mail").fill(name)
        page.get_by_label("Password").fill(password)
        page.get_by_role("button", name="Sign in", exact=True).click()
        page.wait_for_load_state("load")

    return act


def _of_spaces(who: str, *names: str) -> list[Visit]:
    return [Visit(who, "space", name) for name in names]


SIGNED_OUT = [
    *(Visit("", name) for name in ("account_login", "account_signup", "account_inactive", "what-we-keep", "help")),
    Visit("", "account_login", state="refused", act=_sign_in_as("alice", "wrong")),
    Visit("", "account_login", state="second-factor", act=_sign_in_as("vera", PASSWORD)),
    Visit("", "invitation", "invitation"),
    Visit("", "/invitation/no-such/", status=404),
    *(Visit("", f"account_reset_password{end}") for end in ("", "_done", "_from_key_done")),
    Visit("", "account_reset_password_from_key", "reset_link"),
    Visit("", "/accounts/password/reset/key/1-none/"),
    Visit("", "account_email_verification_sent"),
    Visit("", "account_confirm_email", "email_key"),
    Visit("", "/accounts/confirm-email/none/"),
    Visit("", "socialaccount_login_cancelled"),
    Visit("", "unsubscribe", "unsubscribe_token"),
    Visit("", "download", "ended_download", status=410),
    Visit("", "openid_connect_login", "provider"),
    Visit("", "openid_connect_callback", "provider", query="?error=access_denied", status=401),
    Visit("", "openid_connect_callback", "provider", query="?error=server_error", status=401),
    Visit("", "/nothing/", status=404),
    *(Visit("", f"/error/{name}/") for name in ERROR_PAGES),
]
OWN_ACCOUNT = [
    *(Visit(HOST, name) for name in ("account", "account-close", "account_email", "account_change_password")),
    *(Visit(HOST, name) for name in ("account_logout", "account_reauthenticate", "usersessions_list", "mfa_index")),
    *(Visit(HOST, name) for name in ("mfa_activate_totp", "mfa_list_webauthn", "mfa_add_webauthn")),
    *(Visit(HOST, name) for name in ("socialaccount_connections", "mfa_generate_recovery_codes")),
    *(Visit("vera", name) for name in ("mfa_index", "mfa_list_webauthn", "mfa_deactivate_totp", "mfa_reauthenticate")),
    *(Visit("vera", f"mfa_{name}") for name in ("view_recovery_codes", "generate_recovery_codes")),
    *(Visit("vera", f"mfa_{name}_webauthn", "passkey") for name in ("edit", "remove")),
    Visit("vera", "mfa_reauthenticate_webauthn"),
    Visit(HOST, "account_change_password", state="refused", act=_submit("Change the password")),
    Visit(HOST, "invitation", "invitation", status=409),
]
HOSTS = [
    *(Visit(HOST, "spaces", query=f"?filter={code}") for code in SPACE_FILTERS),
    *(Visit(HOST, "spaces", query=f"?sort={code}") for code in SPACE_ORDERS),
    *(Visit("nora", name) for name in ("spaces", "search", "export", "notices", "my-lines", "account")),
    Visit(HOST, "spaces", words="garden"),
    Visit(HOST, "spaces", words="zebra"),
    Visit(HOST, "spaces", query="?filter=none"),
    *_of_spaces(HOST, "open", "plain", "flagged", "appealed", "denied", "granted", "lifted", "held", "due", "due_soon"),
    *_of_spaces(HOST, "empty", "receiving", "checking", "paused", "parked", "rejecting", "rejected", "reading"),
    *_of_spaces(HOST, "broken", "automatic", "transcription_queued", "transcription_running", "transcription_failed"),
    *_of_spaces(HOST, "bundle_queued", "bundle_building", "bundle_failed"),
    *(Visit(HOST, "space", name, status=410) for name in ("expiring", "deleted")),
    Visit(HOST, "edit", "open"),
    Visit(HOST, "edit", "plain"),
    Visit(HOST, "edit-transcript", "open"),
    *(Visit(HOST, name) for name in ("search", "upload", "export", "notices", "house-rules", "help", "what-we-keep")),
    *(Visit(HOST, "search", words=words) for words in ("seeds", "zebra", "the")),
    *(Visit(HOST, "upload", query=f"?space={name}") for name in ("{empty}", "{receiving}", "{open}")),
    Visit(HOST, "chosen-export", "chosen_export"),
    Visit("bob", "my-lines"),
    Visit("bob", "space", "open", status=404),
    Visit(HOST, "/nothing/", status=404),
]
ADMINS = [
    Visit(ADMIN, "spaces"),
    Visit(ADMIN, "search", words="seeds"),
    *_of_spaces(ADMIN, "open", "flagged", "appealed", "held", "checking"),
    *(Visit(ADMIN, "moderation", query=f"?tab={code}") for code in QUEUE_TABS),
    *(Visit(ADMIN, "moderation", query=f"?order={code}") for code in QUEUE_ORDERS),
    Visit(ADMIN, "moderation", query="?order=search", words="seeds"),
    *(Visit(ADMIN, "moderate", name) for name in ("open", "flagged", "appealed", "held", "plain", "lifted")),
    Visit(ADMIN, "moderate", "open", state="refused", act=_submit("Flag this Space")),
    *(Visit(ADMIN, f"{act}-several") for act in ("flag", "lift", "hold")),
    *(
        Visit(ADMIN, f"{act}-several", query="?space={open}&space={flagged}&space={held}")
        for act in ("flag", "lift", "hold")
    ),
    *(Visit(ADMIN, name) for name in ("rules", "appeals", "decided-appeals", "holds", "people", "invitations")),
    Visit("bea", "appeals"),
    Visit(ADMIN, "rule", "rule_code"),
    *(Visit(ADMIN, "person", name) for name in ("alice", "ada", "bea")),
    *(Visit(ADMIN, name) for name in ("recorders", "notices", "upload", "help", "account")),
    Visit(ADMIN, "recorders", state="refused", act=_submit("Create a token")),
    Visit(ADMIN, "webhooks"),
    Visit(ADMIN, "webhooks", state="refused", act=_submit("Create a webhook")),
    *(Visit(ADMIN, "webhook", name) for name in ("webhook_works", "webhook_failing", "webhook_stopped")),
    *(Visit(ADMIN, name) for name in ("log", "deadlines", "certificates")),
    Visit(ADMIN, "deadlines", query="?retention_days=90"),
    Visit(ADMIN, "deadlines", query="?retention_days=0"),
    *(Visit(ADMIN, "log-space", name) for name in ("open", "deleted")),
    Visit(ADMIN, "log-proof"),
    Visit(ADMIN, "status"),
]
# Django's admin
SUPERUSERS = [
    *(Visit("root", f"admin:{name}") for name in ("index", "archive_user_changelist")),
    *(Visit("root", f"admin:archive_user_{name}", "bob") for name in ("change", "history")),
]
AUDITORS = [
    *(Visit(AUDITOR, name) for name in ("spaces", "log", "deadlines", "certificates", "export", "notices", "account")),
    *_of_spaces(AUDITOR, "open", "flagged", "checking"),
    Visit(AUDITOR, "space", "deleted", status=410),
    *(Visit(AUDITOR, "log-space", name) for name in ("flagged", "deleted")),
    Visit(AUDITOR, "log", query="?event=token.created&since=2099-01-01"),
    Visit(AUDITOR, "log", query="?event=x&space=x&since=x"),
    Visit(AUDITOR, "log", query="?event=all&role=admins"),
    Visit(AUDITOR, "log", query="?rule=spam"),
    Visit(AUDITOR, "log-overview"),
    Visit(AUDITOR, "log-overview", query="?since=x"),
    Visit(AUDITOR, "certificate-page", "deleted"),
    Visit(AUDITOR, "search", words="garden"),
    Visit(AUDITOR, "log-proof"),
    Visit(AUDITOR, "/log/entries/999999999/receipt.tlog-proof", status=404),
    Visit(AUDITOR, "moderation", status=404),
]
VISITS = [*SIGNED_OUT, *OWN_ACCOUNT, *HOSTS, *ADMINS, *SUPERUSERS, *AUDITORS]

# Addresses that are not pages: actions (POST), files, parts of pages, redirects, and what Django's admin site adds to
# the rules. "api:*" means the entire namespace.
NOT_PAGES = {
    *("accept-partial", "appeal", "bundle", "bundle-revoke-links", "calendar-create", "calendar-revoke", "decide"),
    *("dismiss-rejected", "edit-speakers", "export-chosen", "export-revoke-links", "flag", "hold", "hold-review"),
    *("invitation-renew", "invitation-revoke", "lift", "notice-dismiss", "notices-dismiss", "participant-account"),
    *("person-activate", "person-close", "person-deactivate", "person-end-sessions", "person-reset-link"),
    *("person-roles", "podcast-create", "podcast-revoke", "recorder-revoke", "release", "review", "review-claim"),
    "review-undo",
    *("webhook-again", "webhook-change", "webhook-remove", "webhook-replace-secret", "webhook-start", "webhook-stop"),
    "webhook-test",
    *("review-next", "session-end", "template-add", "template-change", "upload-inspect", "upload-sort"),
    *("account-download", "audio", "certificate", "certificate-key", "certificate-verifier", "own-lines", "peaks"),
    "certificate-with-receipt",
    *("recording", "transcript", "mfa_download_recovery_codes", "javascript-catalog"),
    *("log-checkpoint", "log-export", "log-keys", "log-receipt", "log-verifier", "log-verifier-page"),
    "log-verify",
    *("certificates-zip", "log-deletions-file", "log-entries-file", "log-simulation-file"),
    *("log-view-delete", "log-view-save"),
    *("feed-calendar", "feed-chapters", "feed-podcast", "feed-recording", "feed-transcript"),
    *("healthz", "livez", "readyz"),
    *("livekit-webhook", "progress", "state", "transcription", "api:*", "api/v1", "api/v1/<path:rest>"),
    *("mfa_authenticate", "mfa_login_webauthn"),  # only while signing in, as in the visit "second-factor"
    *("twitter_oauth2_login", "twitter_oauth2_callback"),  # same pages as openid_connect_login
    "admin:*",
}
