"""What browsers may do: Content-Security-Policy, cookies, security headers."""

from csp.constants import NONCE, NONE, SELF

from portal import env
from portal.settings.engines import S3_PUBLIC_ENDPOINT_URL
from portal.settings.sign_in import SIGN_IN_ORIGINS
from portal.settings.site import HTTPS

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "style-src": [SELF, NONCE],  # the waveform adds its own style; other pages have no nonce
        "img-src": [SELF, "data:"],
        "media-src": [SELF, S3_PUBLIC_ENDPOINT_URL],
        "connect-src": [SELF, S3_PUBLIC_ENDPOINT_URL],
        "object-src": [NONE],
        "base-uri": [NONE],
        "form-action": [SELF, *SIGN_IN_ORIGINS],
        "frame-ancestors": [NONE],
    }
}
X_FRAME_OPTIONS = "DENY"
SECURE_SSL_REDIRECT = HTTPS
BEHIND_PROXY = env.flag("BEHIND_PROXY", False)
PROXY_ADDRESSES = env.hosts("PROXY_ADDRESSES", id="spacekeep.E182")  # of the proxy (portal/trusted_proxy.py)
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if BEHIND_PROXY else None
ALLAUTH_TRUSTED_PROXY_COUNT = 1 if SECURE_PROXY_SSL_HEADER else 0  # whose failed sign-ins are counted together
SECURE_REDIRECT_EXEMPT = [r"^(healthz|livez|readyz)$"]
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if HTTPS else 0
# Off by default: they affect hosts that don't belong to Spacekeep, and leaving browsers' lists takes months.
SECURE_HSTS_INCLUDE_SUBDOMAINS = HTTPS and env.flag("HSTS_SUBDOMAINS", False)
SECURE_HSTS_PRELOAD = HTTPS and env.flag("HSTS_PRELOAD", False)
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]  # `check --deploy` would ask for them
SECURE_REFERRER_POLICY = "same-origin"
# Browsers accept a cookie with the prefix __Host- only over HTTPS, for this host and all paths.
SESSION_COOKIE_NAME = "__Host-sessionid" if HTTPS else "sessionid"
CSRF_COOKIE_NAME = "__Host-csrftoken" if HTTPS else "csrftoken"
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"  # so that no cookie contains text of pages
SESSION_COOKIE_SECURE = HTTPS
SESSION_COOKIE_HTTPONLY = True
CSRF_COOKIE_SECURE = HTTPS
CSRF_COOKIE_HTTPONLY = True
