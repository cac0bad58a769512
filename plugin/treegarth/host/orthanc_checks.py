"""Traps in Orthanc's own configuration: what it lets in, loses or deletes. Pure but for a look at files that it names.

`treegarth check` and the system page say the same. Orthanc's defaults stand beside each key.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from treegarth.host.children import project_root
from treegarth.phrases import N_, P_, Phrase
from treegarth.web.services import SelfCheck

# Of Orthanc's samples, its images and its book, and what is tried first by whoever tries.
KNOWN_PASSWORDS = frozenset(
    {"orthanc", "password", "alicepassword", "demo", "admin", "changeme", "change-me", "test", "1234", "12345678"}
)
CERTIFICATES = (  # the key that switches it on, keys that then name files, and what Orthanc takes without them
    ("SslEnabled", {"SslCertificate": "certificate.pem"}),
    ("SslVerifyPeers", {"SslTrustedClientCertificates": "trustedCertificates.pem"}),
    ("DicomTlsEnabled", {"DicomTlsCertificate": "", "DicomTlsPrivateKey": "", "DicomTlsTrustedCertificates": ""}),
)
DEBIAN_12 = (1, 10, 1)
FIRST_WITH_HTTPS = (1, 11)
"""Debian 12's Orthanc ends with SIGSEGV at its first HTTPS request, also without any plugin."""

GUARD = project_root() / "plugin" / "orthanc_guard.lua"
_FILTER = "IncomingHttpRequestFilter"  # the function by which a Lua script filters requests

_PERMISSIONS = {  # of DICOM: what a node that is not listed may do, unless the key is set
    "DicomAlwaysAllowStore": True,
    "DicomAlwaysAllowFind": False,
    "DicomAlwaysAllowGet": False,
    "DicomAlwaysAllowMove": False,
}


@dataclass(frozen=True, kw_only=True)
class OrthancFacts:
    """An Orthanc's configuration, the folder that its relative paths begin in, and its version where it is known."""

    values: Mapping[str, Any]
    folder: Path
    version: tuple[int, ...] | None = None
    is_reached_by_https: bool = False  # by a proxy, as PublicUrl says


def orthanc_checks(facts: OrthancFacts) -> Iterator[SelfCheck]:
    """One finding a trap."""
    yield _encryption(facts)
    yield _passwords(facts.values)
    yield _guard(facts)
    yield _dicom_nodes(facts.values)
    yield _certificates(facts)
    yield _https(facts)
    yield _bulk_addresses(facts.values)
    yield _character_set(facts.values)
    yield _recycling(facts.values)
    yield _storing(facts.values)
    yield _overwriting(facts.values)
    yield _jobs(facts.values)
    yield _http_threads(facts.values)
    yield _silent_clients(facts.values)
    yield _stable_age(facts.values)


def ok(name: str, sentence: Phrase) -> SelfCheck:
    return SelfCheck(name=name, state="ok", sentence=sentence)


def warning(name: str, sentence: Phrase) -> SelfCheck:
    return SelfCheck(name=name, state="warning", sentence=sentence)


def problem(name: str, sentence: Phrase) -> SelfCheck:
    return SelfCheck(name=name, state="problem", sentence=sentence)


def _encryption(facts: OrthancFacts) -> SelfCheck:
    name = N_("Encryption")
    if not facts.values.get("RemoteAccessAllowed", False):
        return ok(name, P_("Only this machine connects to Orthanc's web server."))
    if facts.values.get("SslEnabled", False):
        return ok(name, P_("Orthanc's web server takes encrypted connections only."))
    if facts.is_reached_by_https:
        return warning(
            name,
            P_(
                'Users come by HTTPS, but "RemoteAccessAllowed" also lets other machines in without it. '
                "Set it to false where the proxy runs on this machine, or let a firewall see to it."
            ),
        )
    return warning(
        name,
        P_(
            "Other machines connect without encryption: passwords and patients can be read on the way. Put a proxy "
            "with HTTPS before Orthanc."
        ),
    )


def _passwords(values: Mapping[str, Any]) -> SelfCheck:
    name = N_("Passwords")
    users = values.get("RegisteredUsers")
    users = users if isinstance(users, Mapping) else {}
    weak = [user for user, password in users.items() if _is_weak(str(user), password)]
    if weak:
        return problem(
            name,
            P_(
                "%(users)s: the password is empty, the user's name, or one that everybody tries first.",
                users=", ".join(sorted(weak)),
            ),
        )
    return ok(name, P_("No user has an empty password or a well-known one."))


def _is_weak(user: str, password: object) -> bool:
    given = str(password or "").strip().lower()
    return not given or given == user.lower() or given in KNOWN_PASSWORDS


def _guard(facts: OrthancFacts) -> SelfCheck:
    """Orthanc itself answers whatever page makes a browser ask, with the login that the browser has kept."""
    name = N_("Pages of other sites")
    given = facts.values.get("LuaScripts")
    scripts = [facts.folder / str(one) for one in given] if isinstance(given, list) else []
    guards = [at for at, script in enumerate(scripts) if script.name == GUARD.name]
    if not guards:
        return warning(
            name,
            P_(
                "A page of any site can make a user's browser delete and send studies through Orthanc's own addresses. "
                'Add "%(guard)s" to "LuaScripts".',
                guard=str(GUARD),
            ),
        )
    if replacing := [str(script) for script in scripts[guards[-1] + 1 :] if _FILTER in _text(script)]:
        return warning(
            name,
            P_(
                '%(scripts)s: its filter of requests replaces the guard. Let %(guard)s be the last of "LuaScripts".',
                scripts=", ".join(replacing),
                guard=GUARD.name,
            ),
        )
    return ok(name, P_("What they make a browser ask Orthanc for is refused; a link from elsewhere passes."))


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""


def _dicom_nodes(values: Mapping[str, Any]) -> SelfCheck:
    name = N_("DICOM nodes")
    if values.get("DicomServerEnabled", True) is False:
        return ok(name, P_("Orthanc's DICOM port is closed."))
    open_keys = [key for key, otherwise in _PERMISSIONS.items() if values.get(key, otherwise)]
    taken = [key for key in open_keys if key != "DicomAlwaysAllowStore"]
    if taken:
        return warning(
            name,
            P_(
                "Whoever reaches the DICOM port may ask for patients and take their images (%(keys)s). Set these to "
                'false and list your nodes in "DicomModalities".',
                keys=", ".join(taken),
            ),
        )
    nodes = _listed_nodes(values)
    who = {
        "store": "*" if open_keys else _words(nodes, "AllowStore"),
        "find": _words(nodes, "AllowFind"),
        "move": _words(nodes, "AllowMove"),
        "get": _words(nodes, "AllowGet"),
    }
    return ok(
        name,
        P_("C-STORE: %(store)s. C-FIND: %(find)s. C-MOVE: %(move)s. C-GET: %(get)s (* is every node).", **who),
    )


def _listed_nodes(values: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """What each listed node may do, by its AE title. A node written as a list may do everything, as Orthanc has it."""
    found: dict[str, Mapping[str, Any]] = {}
    modalities = values.get("DicomModalities")
    for node in modalities.values() if isinstance(modalities, Mapping) else ():
        if isinstance(node, Mapping):
            found[str(node.get("AET"))] = node
        elif isinstance(node, list) and node:
            found[str(node[0])] = {}
    return found


def _words(nodes: Mapping[str, Mapping[str, Any]], permission: str) -> str:
    return ", ".join(sorted(title for title, node in nodes.items() if node.get(permission, True))) or "–"


def _certificates(facts: OrthancFacts) -> SelfCheck:
    name = N_("Certificates")
    missing = [
        f"{key}: {facts.folder / given if given else '–'}"
        for switch, files in CERTIFICATES
        if facts.values.get(switch, False)
        for key, otherwise in files.items()
        if not (given := str(facts.values.get(key, otherwise))) or not (facts.folder / given).is_file()
    ]
    if missing:
        return problem(name, P_("These files of certificates are not there: %(files)s.", files="; ".join(missing)))
    return ok(name, P_("No certificate that the configuration names is missing."))


def _https(facts: OrthancFacts) -> SelfCheck:
    name = N_("HTTPS")
    if facts.values.get("SslEnabled", False) and facts.version is not None and facts.version < FIRST_WITH_HTTPS:
        return problem(
            name,
            P_(
                "Orthanc %(version)s of Debian 12 cannot serve HTTPS: it ends at the first such request. "
                'Set "SslEnabled": false and put a proxy with HTTPS before it.',
                version=".".join(map(str, facts.version)),
            ),
        )
    return ok(name, P_("Orthanc is not asked for what its version cannot serve."))


def _bulk_addresses(values: Mapping[str, Any]) -> SelfCheck:
    name = N_("DICOMweb addresses")
    dicomweb = values.get("DicomWeb")
    host = str(dicomweb.get("Host") or "") if isinstance(dicomweb, Mapping) else ""
    if host:
        return warning(
            name,
            P_(
                'DICOMweb writes "%(host)s" into every address of bulk data, whatever name a viewer came by. '
                'Remove "Host" from "DicomWeb": it then follows the request.',
                host=host,
            ),
        )
    return ok(name, P_("Addresses of bulk data follow the name that a viewer came by."))


def _character_set(values: Mapping[str, Any]) -> SelfCheck:
    """Orthanc writes its answers (C-FIND, and on 1.10.1 QIDO-RS) in this one, whatever the objects are written in."""
    name = N_("Character set of answers")
    encoding = str(values.get("DefaultEncoding", "Latin1"))
    if encoding == "Utf8":
        return ok(name, P_("Orthanc answers queries in UTF-8: no name is lost."))
    return warning(
        name,
        P_(
            "Orthanc answers queries in %(encoding)s, and drops what that has no letters for: Korean names, in most of "
            'them. Set "DefaultEncoding": "Utf8".',
            encoding=encoding,
        ),
    )


def _recycling(values: Mapping[str, Any]) -> SelfCheck:
    name = N_("Recycling")
    limits = [key for key in ("MaximumStorageSize", "MaximumPatientCount") if _number(values, key, 0)]
    if limits and values.get("MaximumStorageMode", "Recycle") == "Recycle":
        return warning(
            name,
            P_("%(limits)s: at this limit Orthanc deletes the oldest patients by itself.", limits=", ".join(limits)),
        )
    return ok(name, P_("Orthanc deletes nothing by itself."))


def _storing(values: Mapping[str, Any]) -> SelfCheck:
    name = N_("Storing")
    if values.get("StoreDicom", True) is False:
        return problem(
            name, P_('"StoreDicom" is false: Orthanc forgets the objects, so neither dose nor images can be read.')
        )
    return ok(name, P_("Orthanc keeps the objects that it takes."))


def _overwriting(values: Mapping[str, Any]) -> SelfCheck:
    name = N_("Overwriting")
    if values.get("OverwriteInstances", False) not in (False, "Never"):
        return ok(name, P_("An object sent again replaces the stored one, and is indexed again."))
    return ok(name, P_("An object sent again is ignored; the first one stays."))


def _jobs(values: Mapping[str, Any]) -> SelfCheck:
    """A killed Orthanc would go on with old jobs, and send again what the ledger of deliveries has confirmed."""
    name = N_("Jobs")
    if values.get("SaveJobs", True):
        return warning(
            name,
            P_(
                "Orthanc saves its jobs: after a crash it sends objects again that were confirmed. "
                'Set "SaveJobs": false; deliveries are resumed without it.'
            ),
        )
    return ok(name, P_("Orthanc saves no jobs; deliveries are resumed by us."))


def _http_threads(values: Mapping[str, Any]) -> SelfCheck:
    name = N_("HTTP threads")
    threads = int(_number(values, "HttpThreadsCount", 50))
    if threads < 10:
        return problem(
            name,
            P_(
                "HttpThreadsCount is %(threads)s; with fewer than 10 the viewer and the dashboard wait in line.",
                threads=threads,
            ),
        )
    return ok(name, P_("Orthanc answers %(threads)s requests at once.", threads=threads))


def _silent_clients(values: Mapping[str, Any]) -> SelfCheck:
    name = N_("Silent clients")
    if _number(values, "HttpRequestTimeout", 30) == 0:
        return problem(
            name,
            P_('"HttpRequestTimeout" is 0: clients that fell silent keep their threads until none is left. Set 60.'),
        )
    return ok(name, P_("A client that fell silent gives its thread back."))


def _stable_age(values: Mapping[str, Any]) -> SelfCheck:
    name = N_("Stable age")
    age = _number(values, "StableAge", 60)
    if age < 5:
        return problem(
            name,
            P_(
                '"StableAge" is %(age)s s: a device that pauses longer has its study taken for complete. Set 60.',
                age=f"{age:g}",
            ),
        )
    if age > 900:
        return warning(
            name,
            P_(
                '"StableAge" is %(age)s s: what waits for complete studies waits so long after the last object.',
                age=f"{age:g}",
            ),
        )
    return ok(name, P_("Orthanc takes a study for complete %(age)s s after its last object.", age=f"{age:g}"))


def _number(values: Mapping[str, Any], key: str, otherwise: float) -> float:
    value = values.get(key, otherwise)
    return float(value) if isinstance(value, int | float) else otherwise
