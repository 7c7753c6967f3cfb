"""The addresses of the site."""

from allauth.account import views as account
from allauth.mfa.base import views as factors
from allauth.mfa.recovery_codes import views as recovery_codes
from allauth.mfa.totp import views as totp
from allauth.mfa.webauthn import views as webauthn
from allauth.socialaccount import views as socialaccount
from django.contrib import admin
from django.urls import include, path, re_path

from portal.api import livekit
from portal.api.app import api
from portal.api.problems import not_found
from portal.sign_in.own_changes import log_own_changes
from portal.views import (
    accounts,
    appeals,
    bundles,
    certificates,
    content,
    deadlines,
    downloads,
    explain,
    exports,
    health,
    holds,
    invitations,
    log,
    moderation,
    my_account,
    my_lines,
    notices,
    people,
    recorders,
    reviews,
    rules,
    search,
    sessions,
    several,
    spaces,
    transcription,
    translations,
    upload,
)

# The pages of allauth that we use.
account_pages = [
    path("login/", account.login, name="account_login"),
    path("logout/", account.logout, name="account_logout"),
    path("inactive/", account.account_inactive, name="account_inactive"),
    path("password/change/", account.password_change, name="account_change_password"),
    path("reauthenticate/", account.reauthenticate, name="account_reauthenticate"),
    path("signup/", accounts.signup, name="account_signup"),
    path("email/", log_own_changes(accounts.email), name="account_email"),
    path("confirm-email/", account.email_verification_sent, name="account_email_verification_sent"),
    re_path(r"^confirm-email/(?P<key>[-:\w]+)/$", account.confirm_email, name="account_confirm_email"),
    path("password/reset/", accounts.password_reset, name="account_reset_password"),
    path("password/reset/done/", account.password_reset_done, name="account_reset_password_done"),
    re_path(
        r"^password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$",
        account.password_reset_from_key,
        name="account_reset_password_from_key",
    ),
    path("password/reset/key/done/", account.password_reset_from_key_done, name="account_reset_password_from_key_done"),
]

second_factors = [
    path("", factors.index, name="mfa_index"),
    path("authenticate/", factors.authenticate, name="mfa_authenticate"),
    path("reauthenticate/", factors.reauthenticate, name="mfa_reauthenticate"),
    path("totp/activate/", log_own_changes(totp.activate_totp), name="mfa_activate_totp"),
    path("totp/deactivate/", log_own_changes(totp.deactivate_totp), name="mfa_deactivate_totp"),
    path("recovery-codes/", recovery_codes.view_recovery_codes, name="mfa_view_recovery_codes"),
    path(
        "recovery-codes/generate/",
        log_own_changes(recovery_codes.generate_recovery_codes),
        name="mfa_generate_recovery_codes",
    ),
    path("recovery-codes/download/", recovery_codes.download_recovery_codes, name="mfa_download_recovery_codes"),
    path("webauthn/", webauthn.list_webauthn, name="mfa_list_webauthn"),
    path("webauthn/add/", log_own_changes(webauthn.add_webauthn), name="mfa_add_webauthn"),
    path("webauthn/reauthenticate/", webauthn.reauthenticate_webauthn, name="mfa_reauthenticate_webauthn"),
    path("webauthn/keys/<int:pk>/remove/", log_own_changes(webauthn.remove_webauthn), name="mfa_remove_webauthn"),
    path("webauthn/keys/<int:pk>/edit/", webauthn.edit_webauthn, name="mfa_edit_webauthn"),
    path("webauthn/login/", webauthn.login_webauthn, name="mfa_login_webauthn"),
]

linked_accounts = [
    path("", socialaccount.connections, name="socialaccount_connections"),
    path("login/cancelled/", socialaccount.login_cancelled, name="socialaccount_login_cancelled"),
]

handler500 = "portal.views.errors.server_error"

# Addresses of pages end in a slash; those of actions (POST), files and parts of pages do not.
urlpatterns = [
    path("", spaces.spaces, name="spaces"),
    path("upload/", upload.upload, name="upload"),
    path("upload/inspect", upload.inspect, name="upload-inspect"),
    path("upload/sort", upload.sort, name="upload-sort"),
    path("spaces/<uuid:space_id>/progress", upload.progress, name="progress"),
    path("spaces/<uuid:space_id>/dismiss", upload.dismiss, name="dismiss-rejected"),
    path("spaces/<uuid:space_id>/accept-partial/<uuid:upload_id>", upload.accept_partial, name="accept-partial"),
    path("spaces/<uuid:space_id>/", spaces.space, name="space"),
    path("spaces/<uuid:space_id>/audio", content.audio, name="audio"),
    path("spaces/<uuid:space_id>/peaks.json", content.peaks, name="peaks"),
    path("spaces/<uuid:space_id>/recording", content.recording, name="recording"),
    path("spaces/<uuid:space_id>/transcript.<str:ending>", content.transcript, name="transcript"),
    path("spaces/<uuid:space_id>/bundle", bundles.bundle, name="bundle"),
    path("spaces/<uuid:space_id>/bundle/revoke-links", bundles.revoke_links, name="bundle-revoke-links"),
    path("spaces/<uuid:space_id>/transcription", transcription.transcription, name="transcription"),
    path("spaces/<uuid:space_id>/flag", moderation.flag, name="flag"),
    path("spaces/<uuid:space_id>/lift", moderation.lift, name="lift"),
    path("spaces/<uuid:space_id>/hold", holds.hold, name="hold"),
    path("spaces/<uuid:space_id>/violations/<int:violation_id>/appeal", appeals.appeal, name="appeal"),
    path("moderation/", moderation.moderation, name="moderation"),
    path("moderation/next", reviews.review_next, name="review-next"),
    path("moderation/flag", several.flag_several, name="flag-several"),
    path("moderation/lift", several.lift_several, name="lift-several"),
    path("moderation/hold", several.hold_several, name="hold-several"),
    path("moderation/spaces/<uuid:space_id>/review", reviews.review, name="review"),
    path("moderation/spaces/<uuid:space_id>/claim", reviews.claim, name="review-claim"),
    path("moderation/rules/", rules.rules, name="rules"),
    path("moderation/rules/<slug:code>/", rules.rule, name="rule"),
    path("moderation/rules/<slug:code>/templates", rules.add_template, name="template-add"),
    path("moderation/templates/<int:template_id>", rules.change_template, name="template-change"),
    path("moderation/spaces/<uuid:space_id>/", moderation.moderate, name="moderate"),
    path("moderation/appeals/", appeals.appeals, name="appeals"),
    path("moderation/appeals/decided/", appeals.decided, name="decided-appeals"),
    path("moderation/appeals/<int:appeal_id>/decide", appeals.decide, name="decide"),
    path("moderation/holds/", holds.holds, name="holds"),
    path("moderation/holds/<int:hold_id>/release", holds.release, name="release"),
    path("moderation/holds/<int:hold_id>/review", holds.review, name="hold-review"),
    path("spaces/<uuid:space_id>/my-lines.<str:ending>", my_lines.own_lines, name="own-lines"),
    path(
        "spaces/<uuid:space_id>/participants/<int:participant_id>/account", my_lines.account, name="participant-account"
    ),
    path("search/", search.search, name="search"),
    path("my-lines/", my_lines.my_lines, name="my-lines"),
    path("download/<str:token>/<str:name>.zip", downloads.download, name="download"),
    path("export/", exports.export, name="export"),
    path("export/chosen", exports.export_chosen, name="export-chosen"),
    path("export/<uuid:export_id>/", exports.chosen_export, name="chosen-export"),
    path("export/revoke-links", exports.revoke_links, name="export-revoke-links"),
    path("notices/", notices.notices, name="notices"),
    path("notices/dismiss", notices.dismiss_all, name="notices-dismiss"),
    path("notices/<uuid:notice_id>/dismiss", notices.dismiss, name="notice-dismiss"),
    path("recorders/", recorders.recorders, name="recorders"),
    path("recorders/<uuid:token_id>/revoke", recorders.revoke, name="recorder-revoke"),
    path("invitation/<str:token>/", invitations.invitation, name="invitation"),
    path("account/", my_account.account, name="account"),
    path("account/my-data.json", my_account.download, name="account-download"),
    path("account/close/", my_account.close, name="account-close"),
    path("people/", people.people, name="people"),
    path("people/<int:account_id>/", people.person, name="person"),
    path("people/<int:account_id>/roles", people.change_roles, name="person-roles"),
    path("people/<int:account_id>/activate", people.activate, name="person-activate"),
    path("people/<int:account_id>/deactivate", people.deactivate, name="person-deactivate"),
    path("people/<int:account_id>/end-sessions", people.end_sessions, name="person-end-sessions"),
    path("people/<int:account_id>/reset-link", people.reset_link, name="person-reset-link"),
    path("people/<int:account_id>/close", people.close, name="person-close"),
    path("people/invitations/", invitations.invitations, name="invitations"),
    path("people/invitations/<uuid:invitation_id>/renew", invitations.renew, name="invitation-renew"),
    path("people/invitations/<uuid:invitation_id>/revoke", invitations.revoke, name="invitation-revoke"),
    path("log/", log.log, name="log"),
    path("log/deadlines/", deadlines.deadlines, name="deadlines"),
    path("log/spaces/<uuid:space_id>/", log.log_space, name="log-space"),
    path("certificates/", certificates.certificates, name="certificates"),
    path("certificates/key.pem", certificates.key, name="certificate-key"),
    path("spaces/<uuid:space_id>/certificate.json", certificates.certificate, name="certificate"),
    path("api/v1/livekit", livekit.webhook, name="livekit-webhook"),
    path("api/v1/", api.urls),
    path("api/v1", not_found),
    path("api/v1/<path:rest>", not_found),
    path("translations.js", translations.catalog, name="javascript-catalog"),
    path("what-we-keep/", explain.what_we_keep, name="what-we-keep"),
    path("help/", explain.help_page, name="help"),
    path("healthz", health.healthz, name="healthz"),
    path("accounts/", include(account_pages)),
    path("accounts/2fa/", include(second_factors)),
    path("accounts/3rdparty/", include(linked_accounts)),
    path("accounts/", include("allauth.socialaccount.providers.openid_connect.urls")),
    path("accounts/", include("allauth.socialaccount.providers.twitter_oauth2.urls")),
    path("accounts/sessions/", include("allauth.usersessions.urls")),
    path("accounts/sessions/<int:session_id>/end", sessions.end, name="session-end"),
    path("admin/", admin.site.urls),
]
