"""Every page and every API operation has an access test, and only the listed ones are public."""

import ast
from collections.abc import Iterator
from pathlib import Path

from django.urls import URLPattern, URLResolver, get_resolver

from portal.api.app import api
from portal.api.problems import not_found
from tests.test_access import LADDER

ROOT = Path(__file__).parent.parent

# URLs whose access is tested outside test_access.py: URL name -> the test.
ELSEWHERE = {
    "peaks": "tests/test_peaks.py::test_others_learn_nothing",
    "own-lines": "tests/test_own_lines.py::test_strangers_learn_nothing",
    "participant-account": "tests/test_own_lines_accounts.py::test_only_the_host_and_admins",
    "accept-partial": "tests/test_upload_page.py::test_only_the_owner_may_partly_accept_a_transcript",
    "decide": "tests/test_access_decisions.py::TestLadder::test_only_admins",
    "release": "tests/test_access_decisions.py::TestLadder::test_only_admins",
    "hold-review": "tests/test_hold_reviews.py::test_only_admins_review_holds",
    **dict.fromkeys(
        ("rule", "template-add", "template-change"),
        "tests/test_rules_page.py::test_only_admins_edit_rules_and_templates",
    ),
    "invitation": "tests/test_invitations_page.py::test_nobody_signs_up_without_a_link",
    "invitation-renew": "tests/test_invitations_page.py::test_others_see_nothing_of_it",
    "invitation-revoke": "tests/test_invitations_page.py::test_others_see_nothing_of_it",
    **dict.fromkeys(
        ("person", "person-roles", "person-activate", "person-deactivate", "person-end-sessions"),
        "tests/test_people_page.py::test_others_see_nothing_of_it",
    ),
    "person-reset-link": "tests/test_people_page.py::test_others_see_nothing_of_it",
    "person-close": "tests/test_people_page.py::test_others_see_nothing_of_it",
    "recorder-revoke": "tests/test_recorders_page.py::test_others_see_nothing_of_it",
    **dict.fromkeys(
        ("webhook", "webhook-change", "webhook-replace-secret", "webhook-start", "webhook-stop", "webhook-test"),
        "tests/test_webhooks_page.py::test_for_everybody_else_there_is_no_such_page",
    ),
    **dict.fromkeys(
        ("webhook-remove", "webhook-again"),
        "tests/test_webhooks_page.py::test_for_everybody_else_there_is_no_such_page",
    ),
    "notice-dismiss": "tests/test_notices_page.py::test_others_see_and_change_nothing",
    **dict.fromkeys(
        ("feed-calendar", "feed-podcast", "feed-recording", "feed-transcript", "feed-chapters"),
        "tests/test_feeds.py::test_an_address_that_we_did_not_sign_is_404",
    ),
    **dict.fromkeys(
        ("podcast-create", "podcast-revoke"), "tests/test_feeds.py::test_only_the_host_creates_and_revokes_a_podcast"
    ),
    **dict.fromkeys(("calendar-create", "calendar-revoke"), "tests/test_feeds.py::test_a_calendar_has_the_deadlines"),
    "dismiss-rejected": "tests/test_rejected_page.py::test_only_the_host_may_and_only_if_it_was_not_accepted",
    "chosen-export": "tests/test_export_chosen.py::test_the_page_of_all_is_not_that_of_chosen_ones",
    "unsubscribe": "tests/test_unsubscribe.py::test_a_link_that_was_not_signed_here_is_none",
    **dict.fromkeys(
        ("log-entries-file", "log-deletions-file", "log-simulation-file"),
        "tests/test_log_files.py::test_who_may_download_a_file",
    ),
    **dict.fromkeys(("log-view-save", "log-view-delete"), "tests/test_log_views.py::test_each_person_has_their_own"),
    "certificate-page": "tests/test_certificate_page.py::test_who_may_download_a_certificate",
    "certificate": "tests/test_certificate_page.py::test_who_may_download_a_certificate",
    "certificate-with-receipt": "tests/test_certificate_page.py::test_who_may_download_a_certificate",
    "certificate-key": "tests/test_certificate_page.py::test_a_downloaded_certificate_verifies",
    "certificate-verifier": "tests/test_certificate_page.py::test_a_downloaded_certificate_verifies",
    **dict.fromkeys(
        ("log-keys", "log-checkpoint", "log-verifier", "log-verifier-page"),
        "tests/test_log_proof_page.py::test_everybody_gets_the_keys_the_checkpoint_and_the_verifier",
    ),
    **dict.fromkeys(
        ("log-export", "log-receipt"), "tests/test_log_proof_page.py::test_hosts_get_neither_the_log_nor_receipts"
    ),
    "livekit-webhook": "tests/test_livekit_webhook.py::test_a_request_that_is_not_authentic_is_401_and_stores_nothing",
    "account_login": "tests/test_sign_in.py::test_sign_in_is_rate_limited_after_five_wrong_passwords",
    "account_signup": "tests/test_invitations_page.py::test_nobody_signs_up_without_a_link",
    "account_email": "tests/test_access_coverage.py::test_nothing_else_is_public",
    "account_email_verification_sent": "tests/test_access_coverage.py::test_nothing_else_is_public",
    "account_confirm_email": "tests/test_account_mail.py::test_a_new_address_is_used_once_it_is_verified",
    "account_reset_password": "tests/test_account_mail.py::test_a_mailed_link_changes_the_password_once",
    "account_reset_password_done": "tests/test_account_mail.py::test_a_mailed_link_changes_the_password_once",
    "account_reset_password_from_key": "tests/test_account_mail.py::test_a_mailed_link_changes_the_password_once",
    "account_reset_password_from_key_done": "tests/test_account_mail.py::test_a_mailed_link_changes_the_password_once",
    "account_logout": "tests/test_access_coverage.py::test_nothing_else_is_public",
    "account_inactive": "tests/test_access_coverage.py::test_nothing_else_is_public",
    "account_change_password": "tests/test_access_coverage.py::test_nothing_else_is_public",
    "account_reauthenticate": "tests/test_access_coverage.py::test_nothing_else_is_public",
    "mfa_authenticate": "tests/test_second_factor.py::test_sign_in_with_an_app_needs_its_code",
    "mfa_login_webauthn": "tests/test_browser_sign_in.py::test_sign_in_with_a_passkey_alone",
    **dict.fromkeys(
        ("mfa_activate_totp", "mfa_add_webauthn", "mfa_download_recovery_codes", "mfa_generate_recovery_codes"),
        "tests/test_second_factor.py::test_changes_of_second_factors_need_a_fresh_sign_in",
    ),
    **dict.fromkeys(
        ("mfa_deactivate_totp", "mfa_index", "mfa_list_webauthn", "mfa_reauthenticate", "mfa_reauthenticate_webauthn"),
        "tests/test_access_coverage.py::test_nothing_else_is_public",
    ),
    "mfa_view_recovery_codes": "tests/test_second_factor.py::test_changes_of_second_factors_need_a_fresh_sign_in",
    "mfa_edit_webauthn": "tests/test_second_factor.py::test_passkeys_of_others_are_404",
    "mfa_remove_webauthn": "tests/test_second_factor.py::test_passkeys_of_others_are_404",
    "usersessions_list": "tests/test_session_limits.py::test_all_other_devices_are_signed_out",
    "session-end": "tests/test_session_limits.py::test_devices_of_others_and_the_own_one_are_404",
    "socialaccount_connections": "tests/test_sign_in_providers.py::test_a_user_links_any_account_and_unlinks_it",
    "socialaccount_login_cancelled": "tests/test_access_coverage.py::test_nothing_else_is_public",
    **dict.fromkeys(
        ("openid_connect_login", "openid_connect_callback"),
        "tests/test_sign_in_providers.py::test_everybody_else_is_refused",
    ),
    **dict.fromkeys(
        ("twitter_oauth2_login", "twitter_oauth2_callback"),
        "tests/test_sign_in_providers.py::test_without_settings_there_is_no_provider",
    ),
    "admin:*": "tests/test_account_pages.py::test_only_staff_may_enter_the_django_admin",
    "api:api-root": "tests/test_api_problems.py::test_an_unknown_address_is_404",
    "api:openapi-json": "tests/test_api_openapi.py::test_the_schema_is_public_and_names_no_secret",
    "api:*": "tests/test_access_coverage.py::test_every_api_operation_has_an_access_test",
}

# Operation id -> the test of its access.
API = {
    "create_space": "tests/test_api_access.py::test_a_recorder_uploads_for_its_hosts_only",
    "get_space": "tests/test_api_access.py::test_resources_of_others_are_404",
    "create_upload": "tests/test_api_access.py::test_resources_of_others_are_404",
    "list_uploads": "tests/test_upload_flow.py::test_open_uploads_are_listed_for_resuming",
    "get_upload": "tests/test_api_access.py::test_resources_of_others_are_404",
    "sign_parts": "tests/test_api_access.py::test_resources_of_others_are_404",
    "complete_upload": "tests/test_api_access.py::test_resources_of_others_are_404",
    "accept_partial": "tests/test_api_access.py::test_resources_of_others_are_404",
    "delete_upload": "tests/test_api_access.py::test_resources_of_others_are_404",
    "create_bundle": "tests/test_api_bundles.py::test_who_may_access_a_bundle",
    "get_bundle": "tests/test_api_bundles.py::test_who_may_access_a_bundle",
    **dict.fromkeys(
        ("get_facts", "update_facts", "get_transcript", "correct_lines", "rename_speakers"),
        "tests/test_edit_api.py::test_only_the_host_edits_with_a_session",
    ),
    "create_export": "tests/test_api_bundles.py::test_who_may_access_an_export",
    "get_export": "tests/test_api_bundles.py::test_who_may_access_an_export",
}

# URLs that SignInMiddleware lets through. The API itself asks for a token or a session. Unnamed URLs are listed by
# route.
PUBLIC = {
    *("download", "certificate-key", "healthz", "livekit-webhook", "javascript-catalog", "help", "what-we-keep"),
    *("house-rules", "livez", "readyz"),
    *("feed-calendar", "feed-podcast", "feed-recording", "feed-transcript", "feed-chapters", "unsubscribe"),
    *("certificate-verifier", "log-keys", "log-checkpoint", "log-verifier", "log-verifier-page"),
    *("account_login", "account_signup", "account_inactive", "account_logout", "admin:login"),
    *("invitation", "account_confirm_email", "account_email_verification_sent", "account_reset_password"),
    *("account_reset_password_done", "account_reset_password_from_key", "account_reset_password_from_key_done"),
    *("mfa_authenticate", "mfa_login_webauthn", "socialaccount_login_cancelled"),  # while signing in
    *("openid_connect_login", "openid_connect_callback", "twitter_oauth2_login", "twitter_oauth2_callback"),
    *("api:*", "api:api-root", "api:openapi-json", "api/v1", "api/v1/<path:rest>"),
}


def addresses(patterns: list[URLPattern | URLResolver], namespace: str = "") -> Iterator[tuple[str, URLPattern]]:
    """Return (name, pattern) of every URL, with its namespace. An unnamed URL has its route as name."""
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            inner = f"{pattern.namespace}:" if pattern.namespace else ""
            yield from addresses(pattern.url_patterns, namespace + inner)
        else:
            yield namespace + (pattern.name or str(pattern.pattern)), pattern


def short(name: str) -> str:
    """Shorten names that the admin site and the API add by themselves to `admin:*` and `api:*`."""
    namespace = name.partition(":")[0]
    return name if name in ELSEWHERE or namespace == name else f"{namespace}:*"


EVERY = list(addresses(get_resolver().url_patterns))


def test_every_page_has_an_access_test() -> None:
    named = {short(name) for name, pattern in EVERY if pattern.name or pattern.callback is not not_found}

    assert named == set(LADDER) | set(ELSEWHERE)
    assert not set(LADDER) & set(ELSEWHERE)


def test_every_api_operation_has_an_access_test() -> None:
    paths = api.get_openapi_schema()["paths"]

    assert {operation["operationId"] for path in paths.values() for operation in path.values()} == set(API)


def test_each_named_access_test_exists() -> None:
    named = {*ELSEWHERE.values(), *API.values()}
    found = {path: set(find_tests(ROOT / path)) for path in {test.partition("::")[0] for test in named}}

    assert {test for test in named if test.partition("::")[2] not in found[test.partition("::")[0]]} == set()


def find_tests(path: Path) -> Iterator[str]:
    """Return the names of the tests in a file; those in a class as Class::test."""
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.FunctionDef):
            yield node.name
        elif isinstance(node, ast.ClassDef):
            yield from (f"{node.name}::{inner.name}" for inner in node.body if isinstance(inner, ast.FunctionDef))


def test_nothing_else_is_public() -> None:
    public = {name for name, pattern in EVERY if not getattr(pattern.callback, "login_required", True)}

    assert {name if name in PUBLIC else short(name) for name in public} == PUBLIC
