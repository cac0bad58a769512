"""A small identity provider that lies as a test tells it to. Its sign-in page is a function: nobody has to click."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jws
from joserfc.jwk import ECKey, OctKey, RSAKey

CLIENT = "treegarth"
SECRET = "the client's secret"
Claims = dict[str, Any]


@dataclass
class LyingProvider:
    """Honest where nothing else is set."""

    now: Callable[[], int]
    user: Claims = field(default_factory=lambda: {"sub": "17", "preferred_username": "ada", "name": "Ada Lovelace"})
    discovered: Claims = field(default_factory=dict)  # beside what is right, or in its place
    header: Claims = field(default_factory=dict)
    claims: Claims = field(default_factory=dict)  # None takes one away
    beside: Claims = field(default_factory=dict)  # told by the UserInfo endpoint alone
    answer: Claims = field(default_factory=dict)  # beside code and state
    takes_codes_twice: bool = False
    signing: Any = None  # in place of the published key
    is_away: bool = False

    def __post_init__(self) -> None:
        self.keys = [made_key("one")]
        self.codes: dict[str, dict[str, str]] = {}
        self.asked: list[str] = []
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                provider._answer(self, {})

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                provider._answer(self, {name: values[0] for name, values in parse_qs(body).items()})

            def log_message(self, *_: object) -> None:
                """Nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.issuer = f"http://127.0.0.1:{self._server.server_port}"
        Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def sign_in(self, location: str) -> str:
        """What somebody does who was led to `location` and signs in there: the path that they are led back to."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(location).query).items()}
        assert location.startswith(f"{self.issuer}/authorize?"), location
        assert asked["response_type"] == "code"
        assert asked["client_id"] == CLIENT
        assert asked["code_challenge_method"] == "S256"
        code = f"code-{len(self.codes)}"
        self.codes[code] = asked
        back = {"code": code, "state": asked["state"], **self.answer}
        return f"{urlsplit(asked['redirect_uri']).path}?{urlencode({k: v for k, v in back.items() if v is not None})}"

    def rotate(self, kid: str) -> None:
        """A new key signs from now on; the one before is not published any more."""
        self.keys = [made_key(kid)]

    def id_token(self, nonce: str) -> str:
        now = self.now()
        honest = {"iss": self.issuer, "aud": CLIENT, "iat": now, "exp": now + 300, "nonce": nonce, **self.user}
        claims = {name: value for name, value in {**honest, **self.claims}.items() if value is not None}
        key = self.keys[0]
        header = {"alg": "RS256", "kid": key.kid, **self.header}
        header = {name: value for name, value in header.items() if value is not None}
        if header["alg"] == "none":
            return ".".join((_encoded(header), _encoded(claims), ""))
        algorithms = ["RS256", "PS256", "ES256", "HS256", "RS512"]
        return jws.serialize_compact(header, json.dumps(claims), self.signing or key, algorithms=algorithms)

    def _answer(self, request: BaseHTTPRequestHandler, form: dict[str, str]) -> None:
        path = urlsplit(request.path).path
        self.asked.append(path)
        status, answer = 503, {}
        if not self.is_away:
            status, answer = {
                "/.well-known/openid-configuration": self._discovery,
                "/jwks": lambda request, form: (200, {"keys": [one.as_dict(private=False) for one in self.keys]}),
                "/token": self._token,
                "/userinfo": lambda request, form: (200, {"sub": self.user.get("sub"), **self.beside}),
            }[path](request, form)
        body = json.dumps(answer).encode()
        request.send_response(status)
        request.send_header("Content-Type", "application/json")
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)

    def _discovery(self, request: BaseHTTPRequestHandler, form: dict[str, str]) -> tuple[int, Claims]:
        return 200, {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/jwks",
            "userinfo_endpoint": f"{self.issuer}/userinfo",
            "end_session_endpoint": f"{self.issuer}/end",
            **self.discovered,
        }

    def _token(self, request: BaseHTTPRequestHandler, form: dict[str, str]) -> tuple[int, Claims]:
        given = base64.b64decode(request.headers["Authorization"].removeprefix("Basic ")).decode()
        assert given == f"{CLIENT}:{SECRET}" or given == f"{CLIENT}:the+client%27s+secret", given
        asked = self.codes.get(form["code"]) if self.takes_codes_twice else self.codes.pop(form["code"], None)
        if asked is None or form["redirect_uri"] != asked["redirect_uri"]:
            return 400, {"error": "invalid_grant"}
        challenge = base64.urlsafe_b64encode(sha256(form["code_verifier"].encode()).digest()).rstrip(b"=").decode()
        if challenge != asked["code_challenge"]:
            return 400, {"error": "invalid_grant"}
        return 200, {"access_token": "of no use", "token_type": "Bearer", "id_token": self.id_token(asked["nonce"])}


def made_key(kid: str, kind: str = "RSA") -> RSAKey | ECKey:
    given = {"kid": kid, "use": "sig"}
    return RSAKey.generate_key(2048, given) if kind == "RSA" else ECKey.generate_key("P-256", given)


def shared_key(secret: str) -> OctKey:
    return OctKey.import_key(secret)


def _encoded(part: Claims) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()
