"""Accounts and signing in (django-allauth)."""

from portal import env

AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "spaces"
ACCOUNT_ADAPTER = "portal.adapter.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"username", "email"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*"]  # the address is the invitation's
ACCOUNT_FORMS = {
    "signup": "portal.forms.accounts.SignupForm",
    "add_email": "portal.forms.accounts.AddEmailForm",
}
ACCOUNT_EMAIL_VERIFICATION = "none"  # nothing asks for a verified address; a new one is used once it is verified
ACCOUNT_CHANGE_EMAIL = True  # one address for each account
ACCOUNT_EMAIL_NOTIFICATIONS = True  # of changes of the password and the address
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_PREVENT_ENUMERATION = "strict"  # no page says whose address is known here
PASSWORD_RESET_TIMEOUT = 24 * 3600  # seconds
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
# For so long after a password or a second factor was given, what grants power or can't be undone asks for nothing
# (portal/reauthentication.py).
ACCOUNT_REAUTHENTICATION_TIMEOUT = env.number("REAUTHENTICATION_SECONDS", 900, least=10, id="spacekeep.E070")
# Admins, auditors, staff and superusers set up a second factor before anything else (portal/sign_in/second_factor.py).
REQUIRE_SECOND_FACTOR = env.flag("REQUIRE_SECOND_FACTOR", True)
MFA_ADAPTER = "portal.sign_in.mfa_adapter.MFAAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
# allauth forbids new addresses beside a second factor, for sites where people sign up with addresses of others.
MFA_ALLOW_UNVERIFIED_EMAIL = True
# Sessions end after so long without a request, and so long after the sign-in (portal/sign_in/sessions.py).
SESSION_IDLE_SECONDS = env.number("SESSION_IDLE_SECONDS", 8 * 3600, least=60, id="spacekeep.E071")
SESSION_IDLE_SECONDS_HOSTS = env.number("SESSION_IDLE_SECONDS_HOSTS", 7 * 86400, least=60, id="spacekeep.E072")
SESSION_COOKIE_AGE = env.number("SESSION_SECONDS", 14 * 86400, least=60, id="spacekeep.E073")
ACCOUNT_REAUTHENTICATION_REQUIRED = True  # for allauth's own pages too: e-mail addresses, linked accounts
# allauth counts failed sign-ins here. In the database, so that all web processes count together.
CACHES = {"default": {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "cache"}}
