"""An identity provider of OpenID Connect: where it sends people, what it answers for a code, and whether its ID token
is to be believed. Asks the provider over HTTPS; knows neither our users nor the browser.

Authorization code with PKCE (RFC 7636, S256); the ID token is checked as OpenID Connect Core 1.0, 3.1.3.7, says.
Nothing here goes into a page: why somebody was refused is for the log.
"""

from __future__ import annotations

import hmac
import logging
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from threading import Lock
from time import monotonic
from typing import Any
from urllib.parse import urlencode

import requests
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.requests_client import OAuth2Session
from authlib.oidc.core import CodeIDToken
from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey

from treegarth.access.secrets import new_secret
from treegarth.errors import TreegarthError
from treegarth.reach import host_of, is_loopback
from treegarth.settings import Oidc
from treegarth.strict_json import UnreadableJson, read_json

ALGORITHMS = ("RS256", "PS256", "ES256")
"""Signatures by a key that the provider alone has. Never `none`, nor HS256, which whoever knows the client's secret can
make."""
SKEW_S = 60
ANSWERS_WITHIN_S = (5.0, 10.0)  # to connect, to answer
LARGEST_ANSWER = 1 << 20
KNOWN_FOR_S = 3600.0
AGAIN_AFTER_S = 10.0
"""Keys are not asked for sooner than this after the last time, whatever key identifiers arrive."""
MOST_REMEMBERED = 10_000
LONGEST_NAME = 100
LONGEST_SUBJECT = 255  # OpenID Connect Core 1.0, section 2

logger = logging.getLogger(__name__)


class ProviderUnavailable(TreegarthError):
    """The identity provider cannot be asked at the moment."""


class SignInRefused(TreegarthError):
    """What came back is not to be believed; the message says why, for the log alone."""


@dataclass(frozen=True, kw_only=True)
class Begun:
    """A way to the provider that a browser has begun. All of it follows from one secret in the browser's cookie:
    nothing is kept here, and whichever Orthanc of the site is asked at the end knows as much as that of the beginning.

    `state` holds the moment and the place as well: who changes them in the cookie has another state.
    """

    secret: str
    moment: int  # seconds since 1970
    next_place: str

    @classmethod
    def new(cls, moment: int, next_place: str) -> Begun:
        return cls(secret=new_secret(), moment=moment, next_place=next_place)

    @property
    def state(self) -> str:
        return self._derived("state")

    @property
    def nonce(self) -> str:
        return self._derived("nonce")

    @property
    def verifier(self) -> str:
        """Of PKCE."""
        return self._derived("verifier")

    def cookie(self) -> str:
        """What the browser keeps."""
        return f"{self.secret}.{self.moment}.{urlsafe_b64encode(self.next_place.encode()).decode().rstrip('=')}"

    @classmethod
    def read(cls, cookie: str) -> Begun | None:
        """None for what is not of ours."""
        found = re.fullmatch(r"([\w-]{43})\.([0-9]{1,12})\.([\w-]*)", cookie, re.ASCII)
        if found is None:
            return None
        secret, moment, place = found.groups()
        try:
            next_place = urlsafe_b64decode(place + "=" * (-len(place) % 4)).decode()
        except ValueError:
            return None
        return cls(secret=secret, moment=int(moment), next_place=next_place)

    def _derived(self, what: str) -> str:
        said = f"{what} {self.moment} {self.next_place}".encode()
        return hmac.new(self.secret.encode(), said, sha256).hexdigest()


@dataclass(frozen=True, kw_only=True)
class Identity:
    """Whom the provider says this is."""

    subject: str  # its issuer and what it calls the user, for good
    name: str
    full_name: str | None
    groups: tuple[str, ...]
    id_token: str


@dataclass(frozen=True, kw_only=True)
class Metadata:
    """Of its discovery document (OpenID Connect Discovery 1.0), what we use."""

    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str | None
    end_session_endpoint: str | None
    secret_in_body: bool
    tells_issuer: bool  # with the code (RFC 9207)


class Provider:
    """One of them, with what it last said of itself and its keys."""

    def __init__(self, oidc: Oidc, secret: Callable[[], str | None]) -> None:
        self.oidc = oidc
        self._secret = secret
        self._lock = Lock()
        self._metadata: tuple[float, Metadata] | None = None
        self._keys: tuple[float, list[RSAKey | ECKey]] | None = None
        self._used: OrderedDict[str, None] = OrderedDict()

    def is_first_use(self, begun: Begun) -> bool:
        """Whether this way comes back for the first time: no answer of the provider counts twice here."""
        with self._lock:
            is_first = begun.state not in self._used
            self._used[begun.state] = None
            while len(self._used) > MOST_REMEMBERED:
                self._used.popitem(last=False)
            return is_first

    def address(self, begun: Begun, redirect_uri: str) -> str:
        """Where the browser goes. Raises ProviderUnavailable, SignInRefused."""
        place, _ = self._session(redirect_uri).create_authorization_url(
            self.metadata().authorization_endpoint,
            state=begun.state,
            code_verifier=begun.verifier,
            nonce=begun.nonce,
        )
        return str(place)

    def identity(self, begun: Begun, code: str, issuer: str | None, redirect_uri: str, now: int) -> Identity:
        """Who came back with this code; `issuer` is what the answer said beside it. Raises ProviderUnavailable,
        SignInRefused."""
        metadata = self.metadata()
        if issuer != self.oidc.issuer and (issuer is not None or metadata.tells_issuer):
            raise SignInRefused(f"the answer came from another issuer: {issuer!r:.200}")
        answer = self._answer_for(metadata, code, begun.verifier, redirect_uri)
        id_token, access_token = answer.get("id_token"), answer.get("access_token")
        if not isinstance(id_token, str):
            raise SignInRefused("there is no ID token in the answer for the code")
        claims = self.claims_of(id_token, begun.nonce, access_token if isinstance(access_token, str) else None, now)
        if metadata.userinfo_endpoint and isinstance(access_token, str) and self._lacks(claims):
            claims = {**self._user_information(metadata.userinfo_endpoint, access_token, claims["sub"]), **claims}
        return self._identity(claims, id_token)

    def claims_of(self, id_token: str, nonce: str, access_token: str | None, now: int) -> dict[str, Any]:
        """Those of a token that is to be believed. Raises ProviderUnavailable, SignInRefused."""
        try:
            header = jws.extract_compact(id_token.encode()).headers()
            if header.get("alg") not in ALGORITHMS:
                raise SignInRefused(f"the ID token is signed by {header.get('alg')!r:.40}")
            token = jwt.decode(id_token, self._key_for(header), algorithms=list(ALGORITHMS))
            claims = CodeIDToken(
                token.claims,
                token.header,
                options={
                    "iss": {"essential": True, "value": self.oidc.issuer},
                    "aud": {"essential": True, "value": self.oidc.client_id},
                    "nonce": {"essential": True, "value": nonce},
                },
                params={"nonce": nonce, "client_id": self.oidc.client_id, "access_token": access_token},
            )
            claims.validate(now=now, leeway=SKEW_S)
        except (JoseError, AuthlibBaseError, ValueError, TypeError) as error:
            raise SignInRefused(f"the ID token is not right: {type(error).__name__} {error}") from None
        subject = claims.get("sub")
        if not isinstance(subject, str) or not 0 < len(subject) <= LONGEST_SUBJECT or not subject.isprintable():
            raise SignInRefused("the ID token does not say whose it is")
        return dict(claims)

    def log_out_address(self, id_token: str | None, back_to: str) -> str | None:
        """Where the browser goes to sign out there, too (RP-Initiated Logout 1.0); None where the provider has no such
        place, or cannot be reached."""
        try:
            place = self.metadata().end_session_endpoint
        except (ProviderUnavailable, SignInRefused) as error:
            logger.warning("Nobody is signed out at the identity provider: %s", error)
            return None
        if place is None:
            return None
        given = {"client_id": self.oidc.client_id, "post_logout_redirect_uri": back_to}
        query = urlencode(given | ({"id_token_hint": id_token} if id_token else {}))
        return f"{place}{'&' if '?' in place else '?'}{query}"

    # ---- what the provider says of itself ----
    def metadata(self) -> Metadata:
        """Raises ProviderUnavailable, SignInRefused."""
        with self._lock:
            if self._metadata is None or monotonic() - self._metadata[0] > KNOWN_FOR_S:
                self._metadata = monotonic(), self._read_metadata()
            return self._metadata[1]

    def _read_metadata(self) -> Metadata:
        found = self._get(self.oidc.issuer.rstrip("/") + "/.well-known/openid-configuration")
        if found.get("issuer") != self.oidc.issuer:
            raise SignInRefused(f"the discovery document is of another issuer: {found.get('issuer')!r:.200}")
        methods = found.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
        return Metadata(
            authorization_endpoint=self._endpoint(found, "authorization_endpoint"),
            token_endpoint=self._endpoint(found, "token_endpoint"),
            jwks_uri=self._endpoint(found, "jwks_uri"),
            userinfo_endpoint=self._endpoint(found, "userinfo_endpoint") if found.get("userinfo_endpoint") else None,
            end_session_endpoint=(
                self._endpoint(found, "end_session_endpoint") if found.get("end_session_endpoint") else None
            ),
            secret_in_body="client_secret_basic" not in methods and "client_secret_post" in methods,
            tells_issuer=found.get("authorization_response_iss_parameter_supported") is True,
        )

    def _endpoint(self, found: Mapping[str, Any], name: str) -> str:
        place = found.get(name)
        may_be_plain = self.oidc.issuer.startswith("http://")
        if isinstance(place, str) and (
            place.startswith("https://")
            or (may_be_plain and place.startswith("http://") and is_loopback(host_of(place)))
        ):
            return place
        raise SignInRefused(f"the discovery document has no {name} that begins with https")

    def _key_for(self, header: Mapping[str, Any]) -> RSAKey | ECKey:
        """The key that a token says to be signed with; where it says none, the only one of its kind."""
        kid, kind = header.get("kid"), ECKey if header["alg"] == "ES256" else RSAKey
        for again in (False, True):
            keys = [one for one in self._known_keys(again=again) if isinstance(one, kind)]
            fitting = keys if kid is None else [one for one in keys if one.kid == kid]
            if len(fitting) == 1:
                return fitting[0]
        raise SignInRefused(f"the ID token is signed with a key that the provider does not name: {kid!r:.100}")

    def _known_keys(self, *, again: bool) -> list[RSAKey | ECKey]:
        with self._lock:
            age = monotonic() - self._keys[0] if self._keys else None
        if self._keys is not None and age is not None and age < (AGAIN_AFTER_S if again else KNOWN_FOR_S):
            return self._keys[1]
        found = self._get(self.metadata().jwks_uri).get("keys")
        keys = [key for one in (found if isinstance(found, list) else []) if (key := _read_key(one)) is not None]
        with self._lock:
            self._keys = monotonic(), keys
        return keys

    # ---- asking it ----
    def _answer_for(self, metadata: Metadata, code: str, verifier: str, redirect_uri: str) -> Mapping[str, Any]:
        session = self._session(redirect_uri, secret_in_body=metadata.secret_in_body)
        try:
            answer = session.fetch_token(
                metadata.token_endpoint,
                grant_type="authorization_code",
                code=code,
                code_verifier=verifier,
                timeout=ANSWERS_WITHIN_S,
                allow_redirects=False,
            )
        except AuthlibBaseError as error:
            raise SignInRefused(f"the provider did not take the code: {error.error!r:.100}") from None
        except requests.RequestException as error:
            raise ProviderUnavailable from _told(error)
        except ValueError as error:
            raise SignInRefused(f"the provider's answer for the code cannot be read: {type(error).__name__}") from None
        return dict(answer)

    def _session(self, redirect_uri: str, *, secret_in_body: bool = False) -> OAuth2Session:
        secret = self._secret()
        method = "none" if secret is None else "client_secret_post" if secret_in_body else "client_secret_basic"
        return OAuth2Session(
            client_id=self.oidc.client_id,
            client_secret=secret,
            token_endpoint_auth_method=method,
            scope=" ".join(self.oidc.scopes),
            redirect_uri=redirect_uri,
            code_challenge_method="S256",
        )

    def _lacks(self, claims: Mapping[str, Any]) -> bool:
        """Whether the ID token leaves away what we need; some providers tell it only at another place."""
        wanted = [self.oidc.name_claim, *([self.oidc.groups_claim] if self.oidc.roles else [])]
        return any(_of(claims, one) is None for one in wanted)

    def _user_information(self, place: str, access_token: str, subject: str) -> dict[str, Any]:
        found = self._get(place, {"Authorization": f"Bearer {access_token}"})
        if found.get("sub") != subject:  # OpenID Connect Core 1.0, 5.3.2
            raise SignInRefused("what the provider tells of the user is of somebody else")
        return found

    def _get(self, place: str, headers: Mapping[str, str] | None = None) -> dict[str, Any]:
        """Raises ProviderUnavailable."""
        try:
            with requests.get(
                place, headers=headers, timeout=ANSWERS_WITHIN_S, allow_redirects=False, stream=True
            ) as answer:
                if answer.status_code != 200:
                    raise requests.RequestException(f"{answer.status_code}")
                text = answer.raw.read(LARGEST_ANSWER + 1, decode_content=True)
            found = read_json(text) if len(text) <= LARGEST_ANSWER else None
        except (requests.RequestException, OSError, UnreadableJson) as error:
            raise ProviderUnavailable from _told(error)
        if not isinstance(found, dict):
            raise ProviderUnavailable from _told(ValueError("no JSON object, or a very large one"))
        return found

    def _identity(self, claims: Mapping[str, Any], id_token: str) -> Identity:
        name, full_name = _shown(_of(claims, self.oidc.name_claim)), _shown(claims.get("name"))
        groups = _of(claims, self.oidc.groups_claim)
        listed = [groups] if isinstance(groups, str) else groups if isinstance(groups, list) else []
        return Identity(
            subject=f"{self.oidc.issuer} {claims['sub']}",
            name=name or str(claims["sub"])[:LONGEST_NAME],
            full_name=full_name or None,
            groups=tuple(one for one in listed if isinstance(one, str)),
            id_token=id_token,
        )


def _of(claims: Mapping[str, Any], name: str) -> Any:
    """A claim by its name, or by names with dots between: `realm_access.roles`."""
    if name in claims:
        return claims[name]
    found: Any = claims
    for part in name.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    return found


def _shown(name: Any) -> str:
    """A name without what cannot be seen or kept; empty where it is none."""
    return "".join(filter(str.isprintable, name)).strip()[:LONGEST_NAME] if isinstance(name, str) else ""


def _read_key(found: Any) -> RSAKey | ECKey | None:
    """None for what no ID token of ours may be signed with."""
    if not isinstance(found, dict) or found.get("use", "sig") != "sig":
        return None
    kinds: dict[str, type[RSAKey] | type[ECKey]] = {"RSA": RSAKey, "EC": ECKey}
    kind = kinds.get(str(found.get("kty")))
    try:
        return kind.import_key(found) if kind else None
    except (JoseError, ValueError, TypeError, KeyError) as error:
        logger.warning("A key of the identity provider cannot be read: %s", type(error).__name__)
        return None


def _told(error: Exception) -> Exception:
    logger.warning("The identity provider cannot be asked: %s: %.300s", type(error).__name__, error)
    return error
