"""The site: secret key, URL, applications, templates, languages, static files."""

from pathlib import Path
from urllib.parse import urlsplit

from portal import env

BASE_DIR = Path(__file__).resolve().parent.parent.parent

SECRET_KEY = env.text("SECRET_KEY", id="spacekeep.E001", hint="A long random text, the same for web and workers.")
SECRET_KEY_FALLBACKS = env.comma_list("SECRET_KEY_FALLBACKS", [])  # older ones, which still verify and decrypt
DEBUG = env.flag("DEBUG", False)
SITE_URL = env.origin("SITE_URL", id="spacekeep.E002", hint="The address at which people open the portal.")
HTTPS = SITE_URL.startswith("https:")
# Who runs this installation. Shown on the sign-in page, error pages, the help page and in mail.
OPERATOR_NAME = env.text("OPERATOR_NAME", "")
OPERATOR_CONTACT = env.contact("OPERATOR_CONTACT", id="spacekeep.E110")  # an e-mail address, or a page
ALLOWED_HOSTS = env.comma_list("ALLOWED_HOSTS", [urlsplit(SITE_URL).hostname or "localhost"])
CSRF_TRUSTED_ORIGINS = [SITE_URL] if SITE_URL else []

INSTALLED_APPS = [
    "archive.apps.ArchiveConfig",
    "portal.apps.PortalConfig",
    "portal.apps.AdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.postgres",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "csp",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "allauth.socialaccount.providers.twitter_oauth2",
]
MIDDLEWARE = [
    "portal.trusted_proxy.TrustedProxyMiddleware",
    "portal.request_ids.RequestIdMiddleware",
    "portal.request_metrics.RequestMetricsMiddleware",
    "portal.middleware.BodyMiddleware",
    "portal.middleware.SecurityHeadersMiddleware",
    "portal.api.problems.ProblemJsonMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "portal.middleware.RefuseTraceMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.middleware.gzip.GZipMiddleware",  # CSRF tokens are masked, and it adds random bytes (BREACH)
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "portal.sign_in.events.RefusalsMiddleware",
    "portal.sign_in.sessions.SessionLimitsMiddleware",
    "portal.middleware.SignInMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "portal.sign_in.second_factor.SecondFactorMiddleware",
    "portal.middleware.TimeZoneMiddleware",
    "portal.middleware.ErrorPagesMiddleware",
]
ROOT_URLCONF = "portal.urls"
WSGI_APPLICATION = "portal.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

# Languages, times, files

LANGUAGE_CODE = "en-gb"
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = True
LANGUAGES = [("en-gb", "English")]  # only English; texts are marked for translation
LOCALE_PATHS = [BASE_DIR / "locale"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
STATIC_URL = "static/"
STATIC_ROOT = env.text("STATIC_ROOT", str(BASE_DIR / ".data" / "static"))
NODE_MODULES = BASE_DIR / "node_modules"
# Prefix below STATIC_URL: folder in node_modules, and the files of it that are served.
VENDOR_FILES = {
    "htmx": ("htmx.org/dist", ["htmx.min.js"]),
    "uppy": ("uppy/dist", ["uppy.min.mjs"]),
    "wavesurfer": ("wavesurfer.js/dist", ["wavesurfer.esm.js"]),
    "zip": ("@zip.js/zip.js", ["index-native.min.js"]),
}
STATICFILES_FINDERS = [
    "django.contrib.staticfiles.finders.AppDirectoriesFinder",
    "portal.static_files.VendorFinder",
]
