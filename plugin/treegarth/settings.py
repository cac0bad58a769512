"""The "Treegarth" section of orthanc.json as one validated, documented model. Reads no file but a referenced secret.

Every key can be overridden by an environment variable, `TREEGARTH_` and the key in capitals with underscores:
`TREEGARTH_WORKERS=2`. Values there are JSON where that makes sense, plain text otherwise.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator
from pydantic.alias_generators import to_pascal

from treegarth.described import Described
from treegarth.errors import SettingsRefused
from treegarth.phrases import P_
from treegarth.places import DestinationPlaces
from treegarth.reach import checked_origin, checked_public_url, host_of, is_loopback

ENVIRONMENT_PREFIX = "TREEGARTH_"
REMOVED = {
    "GuardOrthanc": "The guard is a script of Orthanc now: remove this key, and name plugin/orthanc_guard.lua in "
    '"LuaScripts" where you want it.',
    "Mode": '"SignIn" says it now: "orthanc" for what was "prod", "none" for what was "dev" and "test".',
    "AllowRemoteAccessWithoutLogin": 'Nobody is let in from elsewhere without a sign-in any more: set "SignIn" to '
    '"orthanc" or "treegarth".',
}
"""Settings that there were, and what replaces them."""


class SignIn(StrEnum):
    """How people are known."""

    NONE = "none"  # whoever reaches the port may do everything: this machine alone, for trying and for tests
    ORTHANC = "orthanc"  # Orthanc's own users, by the browser's dialog (HTTP Basic)
    TREEGARTH = "treegarth"  # users of our own, by a page; Orthanc's own login is off
    OIDC = "oidc"  # users of an identity provider, by its page; Orthanc's own login is off

    @property
    def by_session(self) -> bool:
        """Whether people sign in by a page of ours and have sessions."""
        return self in (SignIn.TREEGARTH, SignIn.OIDC)


class SecretReference(BaseModel):
    """Where a secret is to be found; the secret itself never stands in the configuration."""

    model_config = ConfigDict(extra="forbid", frozen=True, alias_generator=to_pascal, populate_by_name=True)

    environment: str | None = None
    file: Path | None = None

    @model_validator(mode="after")
    def _exactly_one(self) -> SecretReference:
        if (self.environment is None) == (self.file is None):
            raise ValueError('give either {"Environment": "NAME"} or {"File": "/path"}')
        return self

    def resolve(self, environment: Mapping[str, str]) -> str:
        """The secret.

        Raises SettingsRefused where the variable is not set or the file cannot be read.
        """
        if self.environment is not None:
            if self.environment not in environment:
                raise SettingsRefused(
                    P_("The environment variable %(name)s (a secret's place) is not set.", name=self.environment)
                )
            return environment[self.environment]
        try:
            return Path(str(self.file)).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            wrong = {"path": str(self.file), "error": getattr(error, "strerror", None) or "it is no text in UTF-8"}
            raise SettingsRefused(P_("The secret's file %(path)s cannot be read: %(error)s.", **wrong)) from error


class MailSecurity(StrEnum):
    NONE = "none"  # in the clear: only to a server of this machine or network
    STARTTLS = "starttls"  # begins in the clear and then encrypts, or does not send
    TLS = "tls"  # encrypted from the first byte


class Mail(BaseModel):
    """The server that rules' e-mails go to."""

    model_config = ConfigDict(extra="forbid", frozen=True, alias_generator=to_pascal, populate_by_name=True)

    host: str = Field(min_length=1, pattern=r"^[^\s/@]+$")
    port: int = Field(default=587, ge=1, le=65535)
    security: MailSecurity = MailSecurity.STARTTLS
    user: str | None = None
    password: SecretReference | None = None
    sender: str = Field(alias="From", pattern=r"^[^@\s<>,;]+@[^@\s<>,;]+$")

    @model_validator(mode="after")
    def _login_is_whole(self) -> Mail:
        if (self.user is None) != (self.password is None):
            raise ValueError("give both User and Password, or neither")
        if self.user is not None and self.security is MailSecurity.NONE:
            raise ValueError('a User needs Security "starttls" or "tls": the password must not travel in the clear')
        return self


class Webhook(BaseModel):
    """An address that rules may tell, signed with a secret that only it knows."""

    model_config = ConfigDict(extra="forbid", frozen=True, alias_generator=to_pascal, populate_by_name=True)

    name: str = Field(pattern=r"^[\w][\w .-]{0,63}$")
    url: str = Field(pattern=r"^https?://[^\s/@?#]+([/?][^\s#]*)?$")
    secret: SecretReference


class Oidc(BaseModel):
    """The identity provider (OpenID Connect) by which people sign in."""

    model_config = ConfigDict(extra="forbid", frozen=True, alias_generator=to_pascal, populate_by_name=True)

    issuer: str
    client_id: str = Field(min_length=1)
    client_secret: SecretReference | None = None
    name: str | None = Field(default=None, min_length=1, max_length=60)
    scopes: tuple[str, ...] = ("openid", "profile")
    name_claim: str = Field(default="preferred_username", min_length=1)
    groups_claim: str = Field(default="groups", min_length=1)
    roles: Mapping[str, tuple[str, ...]] = {}
    log_out: bool = True
    also_password: bool = False

    @field_validator("issuer")
    @classmethod
    def _is_issuer(cls, value: str) -> str:
        if not re.fullmatch(r"https?://[^/@?#\s]+(/[^?#\s]*)?", value):
            raise ValueError("must be like https://id.example.org/realms/hospital, as the provider writes it itself")
        if value.startswith("http://") and not is_loopback(host_of(value)):
            raise ValueError("must begin with https: who listens in on the way could sign in as anybody")
        return value

    @field_validator("scopes")
    @classmethod
    def _has_openid(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if "openid" not in value:
            raise ValueError('must have "openid" in it')
        if any(not re.fullmatch(r"[!#-\[\]-~]+", one) for one in value):
            raise ValueError("must be a list of words without blanks")
        return value

    @property
    def shown_name(self) -> str:
        """What the sign-in's button calls it."""
        return self.name or host_of(self.issuer)


class Settings(Described):
    """What a site sets. The shipped orthanc.json shows each key in its place."""

    model_config = ConfigDict(alias_generator=to_pascal, populate_by_name=True)

    sign_in: SignIn = SignIn.ORTHANC
    """How people are known: `none` (this machine alone), `orthanc` (its own users), `treegarth` (users of our own),
    `oidc` (those of an identity provider)."""

    oidc: Oidc | None = None
    """The identity provider: `{"Issuer": ..., "ClientId": ..., "ClientSecret": {"File": ...}, "Roles": {...}}`."""

    data_directory: Path | None = None
    """Where the embedded database lives. Default: the folder `treegarth` inside Orthanc's IndexDirectory."""

    database: str | None = None
    """`postgresql://user@host:5432/name` of your own PostgreSQL 15 or newer. Default: the embedded server."""

    database_password: SecretReference | None = None
    """Where the password for `Database` is found: `{"Environment": "NAME"}` or `{"File": "/path"}`."""

    workers: int = Field(default=1, ge=0, le=64)
    """How many worker processes to start with Orthanc; 0 where `treegarth worker` runs them elsewhere."""

    worker_niceness: int = Field(default=10, ge=0, le=19)
    """How far workers give way to all else on the machine (`nice`), and what writes the index half as far."""

    public_url: str | None = None
    """Where people reach Orthanc's root behind a proxy, `https://pacs.example.org/pacs`. Default: its own port."""

    allowed_origins: tuple[str, ...] = ()
    """Further sites whose pages may change something here, `["https://portal.example.org"]`."""

    orthanc_url: str | None = None
    """How workers on other machines reach this Orthanc, `http://host:8042`. Default: loopback."""

    orthanc_user: str | None = None
    """The user of Orthanc that workers on other machines log in as. Workers on this one need none."""

    orthanc_password: SecretReference | None = None
    """Where the password of `OrthancUser` is found."""

    chained_scripts: tuple[Path, ...] = ()
    """Your own Orthanc Python scripts, imported in this order and called beside Treegarth's callbacks."""

    find_from_index: bool = True
    """Whether C-FIND is answered from our index, with repaired names; otherwise by Orthanc itself."""

    queue_megabytes: int = Field(default=64, ge=1, le=4096)
    """Memory (MB) for headers that wait for the indexer; beyond it only identifiers wait, nothing is lost."""

    reconcile_seconds: float = Field(default=60, ge=1, le=3600)
    """Seconds between two looks at Orthanc's changes and counts, which repair what a crash or an outage left."""

    full_comparison_hours: float = Field(default=24, ge=0.01, le=720)
    """Hours between two comparisons of every instance with Orthanc, whatever the counts say."""

    stable_seconds: float = Field(default=60, ge=1, le=86400)
    """Seconds without a new object after which a study, or a series, counts as stable and rules look at it."""

    mail: Mail | None = None
    """The server for e-mails of rules: `{"Host": ..., "Port": 587, "Security": "starttls", "From": ...}`."""

    webhooks: tuple[Webhook, ...] = ()
    """What rules may tell: `[{"Name": "ris", "Url": "https://...", "Secret": {"File": ...}}]`."""

    destination_places: DestinationPlaces = DestinationPlaces()
    """What destinations and webhooks may use and reach: `{"Folders": [...], "SecretFiles": [...], ...}`."""

    audit_key: SecretReference | None = None
    """Where the key that signs the audit trail is found. Default: `audit.key` in the data directory."""

    audit_days: int | None = Field(default=None, ge=30, le=36500)
    """Days that events of the audit trail are kept. Default: for good."""

    time_zone: str | None = None
    """The IANA name of the zone that pages show, `Asia/Seoul`. Default: the machine's."""

    @field_validator("database")
    @classmethod
    def _is_postgresql(cls, value: str | None) -> str | None:
        if value is None:
            return None
        if not re.match(r"postgres(ql)?://", value):
            raise ValueError("must begin with postgresql://; Treegarth keeps its index in PostgreSQL only")
        if re.match(r"postgres(ql)?://[^@]*:[^@]*@", value) or re.search(r"[?&]password=", value):
            raise ValueError("must not contain a password; name its place in DatabasePassword")
        return value

    @field_validator("public_url")
    @classmethod
    def _is_public(cls, value: str | None) -> str | None:
        return value if value is None else checked_public_url(value)

    @field_validator("allowed_origins")
    @classmethod
    def _are_origins(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(checked_origin(one) for one in value)

    @field_validator("orthanc_url")
    @classmethod
    def _is_http(cls, value: str | None) -> str | None:
        if value is not None and not re.match(r"https?://[^/@]+(/[^@]*)?$", value):
            raise ValueError("must be like http://host:8042, without user and password")
        return value.rstrip("/") if value else value

    @field_validator("webhooks")
    @classmethod
    def _names_differ(cls, value: tuple[Webhook, ...]) -> tuple[Webhook, ...]:
        names = [one.name for one in value]
        if len(set(names)) < len(names):
            raise ValueError("two of them have one Name")
        return value

    @field_validator("time_zone")
    @classmethod
    def _is_zone(cls, value: str | None) -> str | None:
        if value is None:
            return None
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise ValueError("is not an IANA time zone such as Asia/Seoul") from error
        return value


def environment_name(key: str) -> str:
    """The environment variable of a setting: `QueueMegabytes` → `TREEGARTH_QUEUE_MEGABYTES`."""
    return ENVIRONMENT_PREFIX + re.sub(r"(?<!^)(?=[A-Z])", "_", key).upper()


def read_settings(section: object, environment: Mapping[str, str]) -> Settings:
    """The validated settings of a configuration section and the environment, which wins.

    Raises SettingsRefused with every problem at once: key, value, and what would be right.
    """
    if not isinstance(section, Mapping):
        raise SettingsRefused(f'"Treegarth" must be an object {{...}}, not {json.dumps(section)}.')
    values: dict[str, Any] = dict(section)
    for name in Settings.model_fields:
        key = to_pascal(name)
        if (given := environment.get(environment_name(key))) is not None:
            values[key] = _from_environment(given)
    values |= {key: environment[environment_name(key)] for key in REMOVED if environment_name(key) in environment}
    try:
        return Settings.model_validate(values, by_name=False)
    except ValidationError as error:
        raise SettingsRefused(_sentences(error)) from None


def is_published(settings: Settings) -> bool:
    """Whether `PublicUrl` says that other machines reach this server, by whatever way."""
    return settings.public_url is not None and not is_loopback(host_of(settings.public_url))


def problems_of_access(settings: Settings, orthanc: Mapping[str, Any]) -> list[str]:
    """Why this way of signing in must not run under this configuration of Orthanc; empty when it may."""
    remote = bool(orthanc.get("RemoteAccessAllowed", False))
    given = orthanc.get("AuthenticationEnabled")
    login = remote if given is None else bool(given)  # Orthanc's own default
    check = {
        SignIn.NONE: _problems_without_sign_in,
        SignIn.ORTHANC: _problems_of_orthanc_users,
        SignIn.TREEGARTH: _problems_of_own_users,
        SignIn.OIDC: _problems_of_provider,
    }
    return check[settings.sign_in](settings, orthanc, remote, login)


def _problems_without_sign_in(settings: Settings, orthanc: Mapping[str, Any], remote: bool, login: bool) -> list[str]:
    problems = []
    if remote:
        problems.append(
            'SignIn "none" lets everybody in, but "RemoteAccessAllowed" is true. Set SignIn "treegarth" or "orthanc", '
            'or "RemoteAccessAllowed": false.'
        )
    if login and orthanc.get("RegisteredUsers"):
        problems.append(
            'SignIn "none" knows nobody, but Orthanc asks for its users ("AuthenticationEnabled"). Set SignIn '
            '"orthanc", which gives each of them their roles.'
        )
    if is_published(settings):
        problems.append(
            f'SignIn "none" lets everybody in, but "PublicUrl" says that others reach this server by '
            f'{settings.public_url}. Set SignIn "treegarth" or "orthanc".'
        )
    return problems


def _problems_of_orthanc_users(settings: Settings, orthanc: Mapping[str, Any], remote: bool, login: bool) -> list[str]:
    if login and orthanc.get("RegisteredUsers"):
        return []
    return [
        'SignIn "orthanc" needs Orthanc\'s login: set "AuthenticationEnabled": true and at least one entry in '
        '"RegisteredUsers" (or SignIn "treegarth" for users of our own, or "none" on this machine alone).'
    ]


def _problems_of_own_users(settings: Settings, orthanc: Mapping[str, Any], remote: bool, login: bool) -> list[str]:
    if not login:
        return []
    return [
        f'SignIn "{settings.sign_in}" asks who people are by itself, but Orthanc would refuse them before: set '
        '"AuthenticationEnabled": false.'
    ]


def _problems_of_provider(settings: Settings, orthanc: Mapping[str, Any], remote: bool, login: bool) -> list[str]:
    problems = _problems_of_own_users(settings, orthanc, remote, login)
    if settings.oidc is None:
        problems.append(
            'SignIn "oidc" needs the identity provider: set "Oidc": {"Issuer": ..., "ClientId": ...} (docs/sign-in.md).'
        )
    if settings.public_url is None:
        problems.append(
            'SignIn "oidc" needs "PublicUrl": the identity provider sends people back to an address below it.'
        )
    return problems


def _from_environment(given: str) -> Any:
    try:
        return json.loads(given)
    except ValueError:
        return given


def _sentences(error: ValidationError) -> str:
    lines = []
    for problem in error.errors():
        key = ".".join(str(part) for part in problem["loc"]) or "Treegarth"
        if problem["type"] == "extra_forbidden":
            known = f"Known: {', '.join(map(to_pascal, Settings.model_fields))}."
            lines.append(f"Treegarth.{key} is not a setting. {REMOVED.get(key, known)}")
        else:
            told = f"{key}{problem['input']}"
            hidden = "assword" in told or "ecret" in told or "@" in str(problem["input"])
            shown = "(may hold a secret, not shown)" if hidden else json.dumps(problem["input"], default=str)
            lines.append(f"Treegarth.{key} = {shown}: {problem['msg'].removeprefix('Value error, ')}.")
    return "\n".join(lines)
