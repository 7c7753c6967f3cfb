"""A small OpenID provider: authorization code flow with PKCE (RFC 7636), ID tokens signed with RS256.

It signs in the user in `person`, without asking for a password.
"""

import base64
import hashlib
import json
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.support.http_server import serve

CLIENT, SECRET = "spacekeep", "a secret of the provider"


@dataclass
class Provider:
    person: dict[str, Any] = field(default_factory=dict)  # claims: sub, email, email_verified, name
    forged: dict[str, Any] = field(default_factory=dict)  # wrong claims for the ID token
    url: str = ""
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    key: rsa.RSAPrivateKey = field(default_factory=lambda: rsa.generate_private_key(65537, 2048))
    refusals: list[str] = field(default_factory=list)

    @property
    def settings(self) -> dict[str, Any]:
        """Return the value for SOCIALACCOUNT_PROVIDERS."""
        app = {
            "provider_id": "oidc",
            "name": "Example ID",
            "client_id": CLIENT,
            "secret": SECRET,
            "settings": {"server_url": self.url, "oauth_pkce_enabled": True},
        }
        return {"openid_connect": {"OAUTH_PKCE_ENABLED": True, "APPS": [app]}}

    def authorize(self, query: dict[str, str]) -> str:
        """Return the address to redirect the browser to. Only a request that follows the standards gets a code."""
        assert query["response_type"] == "code"
        assert query["client_id"] == CLIENT
        assert query["code_challenge_method"] == "S256"
        assert {"openid", "email"} <= set(query["scope"].split())
        code = secrets.token_urlsafe(16)
        self.codes[code] = query
        return f"{query['redirect_uri']}?{urlencode({'code': code, 'state': query['state']})}"

    def token(self, form: dict[str, str]) -> dict[str, Any]:
        """Exchange a code for tokens, once. Raises PermissionError."""
        asked = self.codes.pop(form["code"], None)
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if asked is None or asked["code_challenge"] != challenge or asked["redirect_uri"] != form["redirect_uri"]:
            raise PermissionError("invalid_grant")
        if (form.get("client_id"), form.get("client_secret")) != (CLIENT, SECRET):
            raise PermissionError("invalid_client")
        now = int(time.time())
        claims = {"iss": self.url, "aud": CLIENT, "iat": now, "exp": now + 300, **self.person, **self.forged}
        token = jwt.encode(claims, self.key, algorithm="RS256", headers={"kid": "1"})
        return {"access_token": "of the person", "token_type": "Bearer", "expires_in": 300, "id_token": token}

    def configuration(self) -> dict[str, Any]:
        return {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "userinfo_endpoint": f"{self.url}/userinfo",
            "jwks_uri": f"{self.url}/keys",
            "token_endpoint_auth_methods_supported": ["client_secret_post"],
        }


class Handler(BaseHTTPRequestHandler):
    provider: Provider

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        if url.path == "/authorize":
            self.send_response(302)
            self.send_header("Location", self.provider.authorize(_single(url.query)))
            self.end_headers()
        elif url.path == "/.well-known/openid-configuration":
            self._answer(200, self.provider.configuration())
        elif url.path == "/keys":
            key = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(self.provider.key.public_key()))
            self._answer(200, {"keys": [{**key, "kid": "1", "alg": "RS256", "use": "sig"}]})
        elif url.path == "/userinfo" and self.headers["Authorization"] == "Bearer of the person":
            self._answer(200, self.provider.person)
        else:
            self._answer(404, {})

    def do_POST(self) -> None:
        form = _single(self.rfile.read(int(self.headers["Content-Length"])).decode())
        try:
            self._answer(200, self.provider.token(form))
        except PermissionError as error:
            self.provider.refusals.append(str(error))
            self._answer(400, {"error": str(error)})

    def _answer(self, status: int, body: dict[str, Any]) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:
        """Log nothing: tests read what they need from the provider."""


def _single(query: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(query).items()}


@contextmanager
def oidc_provider() -> Iterator[Provider]:
    provider = Provider()
    with serve(Handler, provider=provider) as url:
        provider.url = url
        yield provider
