"""Accounts and signing in (django-allauth)."""

from urllib.parse import urlsplit

from portal import env
from portal.settings.site import HTTPS

AUTHENTICATION_BACKENDS = ["portal.sign_in.backend.PasswordBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "portal.sign_in.passwords.GuessableValidator"},
    {"NAME": "portal.sign_in.passwords.BreachedValidator"},
]
# A sorted file of SHA-1 sums, one per line in hexadecimal, optionally followed by `:` and a count (empty: not checked).
BREACHED_PASSWORD_LIST = env.text("BREACHED_PASSWORD_LIST", "")
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "spaces"
ACCOUNT_ADAPTER = "portal.adapter.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"username", "email"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*"]  # the address is the invitation's
ACCOUNT_FORMS = {
    "login": "portal.forms.accounts.LoginForm",
    "signup": "portal.forms.accounts.SignupForm",
    "add_email": "portal.forms.accounts.AddEmailForm",
    "change_password": "portal.forms.accounts.ChangePasswordForm",
    "reset_password": "portal.forms.accounts.ResetPasswordForm",
    "reset_password_from_key": "portal.forms.accounts.ResetPasswordKeyForm",
    "reauthenticate": "portal.forms.accounts.ReauthenticateForm",
}
ACCOUNT_EMAIL_VERIFICATION = "none"  # sign-in requires no verified address; a new address is used once it is verified
ACCOUNT_CHANGE_EMAIL = True  # one address for each account
ACCOUNT_EMAIL_NOTIFICATIONS = True  # of changes of the password and the address
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_PREVENT_ENUMERATION = "strict"  # no page reveals whether an address is known
ACCOUNT_PASSWORD_RESET_TOKEN_GENERATOR = "portal.sign_in.reset_tokens.ResetTokenGenerator"  # noqa: S105  # a class
PASSWORD_RESET_TIMEOUT = 24 * 3600  # seconds
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_RATE_LIMITS = {
    "login_failed": "20/m/ip,5/300s/key",  # here `key` is account and address (portal/adapter.py)
    "login_failed_account": "100/h/key",  # from all addresses (portal/sign_in/limits.py)
}
KNOWN_DEVICE_COOKIE_NAME = "__Host-known_device" if HTTPS else "known_device"
# For so long after a password or a second factor was given, users need not confirm actions that grant power or can't be
# undone (portal/reauthentication.py).
ACCOUNT_REAUTHENTICATION_TIMEOUT = env.number("REAUTHENTICATION_SECONDS", 900, least=10, id="spacekeep.E070")
# Admins, auditors, staff and superusers must set up a second factor first (portal/sign_in/second_factor.py).
REQUIRE_SECOND_FACTOR = env.flag("REQUIRE_SECOND_FACTOR", True)
MFA_ADAPTER = "portal.sign_in.mfa_adapter.MFAAdapter"
MFA_FORMS = {"activate_totp": "portal.forms.second_factor.ActivateTOTPForm"}
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
# By default allauth forbids new addresses for users with a second factor, for sites where people sign up with other
# people's addresses.
MFA_ALLOW_UNVERIFIED_EMAIL = True
# Sessions end after this time without a request, and this time after the sign-in (portal/sign_in/sessions.py).
SESSION_IDLE_SECONDS = env.number("SESSION_IDLE_SECONDS", 8 * 3600, least=60, id="spacekeep.E071")
SESSION_IDLE_SECONDS_HOSTS = env.number("SESSION_IDLE_SECONDS_HOSTS", 7 * 86400, least=60, id="spacekeep.E072")
SESSION_ENGINE = "portal.sign_in.session_store"
SESSION_COOKIE_AGE = env.number("SESSION_SECONDS", 14 * 86400, least=60, id="spacekeep.E073")
ACCOUNT_REAUTHENTICATION_REQUIRED = True  # for allauth's own pages too: e-mail addresses, linked accounts
# allauth counts failed sign-ins here. In the database, so that all web processes count together.
CACHES = {"default": {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "cache"}}
USERSESSIONS_ADAPTER = "portal.sign_in.events.UserSessionsAdapter"

# Sign-in at other providers, for invited people only (portal/sign_in/providers.py). Off without a client id.
OIDC_CLIENT_ID = env.text("OIDC_CLIENT_ID", "")
OIDC_NAME = env.text("OIDC_NAME", "Single sign-on")
OIDC_ISSUER = env.text("OIDC_ISSUER", "").rstrip("/")
X_CLIENT_ID = env.text("X_CLIENT_ID", "")
SOCIALACCOUNT_ADAPTER = "portal.sign_in.providers.SocialAccountAdapter"
SOCIALACCOUNT_EMAIL_AUTHENTICATION_AUTO_CONNECT = True  # an account that signs in by a verified address stays linked
SOCIALACCOUNT_REQUESTS_TIMEOUT = 10  # seconds
ACCOUNT_DEFAULT_HTTP_PROTOCOL = "https" if HTTPS else "http"  # of the URL that a provider redirects to
SOCIALACCOUNT_PROVIDERS = {
    "openid_connect": {
        "OAUTH_PKCE_ENABLED": True,
        "APPS": [
            {
                "provider_id": "oidc",
                "name": OIDC_NAME,
                "client_id": OIDC_CLIENT_ID,
                "secret": env.text("OIDC_CLIENT_SECRET", ""),
                "settings": {"server_url": OIDC_ISSUER, "oauth_pkce_enabled": True},
            }
        ]
        if OIDC_CLIENT_ID
        else [],
    },
    "twitter_oauth2": {
        "SCOPE": ["users.read", "tweet.read", "users.email"],  # X requires tweet.read with users.read
        "FIELDS": ["id", "name", "username", "confirmed_email"],
        "APPS": [{"client_id": X_CLIENT_ID, "secret": env.text("X_CLIENT_SECRET", "")}] if X_CLIENT_ID else [],
    },
}
# Browsers apply form-action to redirects of a form, too: here to the page of the provider.
_issuer = urlsplit(OIDC_ISSUER)
SIGN_IN_ORIGINS = [
    *([f"{_issuer.scheme}://{_issuer.netloc}"] if OIDC_CLIENT_ID else []),
    *(["https://x.com"] if X_CLIENT_ID else []),
]
