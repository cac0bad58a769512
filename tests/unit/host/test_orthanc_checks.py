"""Each trap in Orthanc's configuration is found, and a configuration without it is not accused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from treegarth.commands.configuration import PROJECT, SHIPPED, read_configuration
from treegarth.host.orthanc_checks import DEBIAN_12, GUARD, OrthancFacts, orthanc_checks

WELL: dict[str, Any] = {"DefaultEncoding": "Utf8", "SaveJobs": False, "LuaScripts": ["orthanc_guard.lua"]}


def found(values: dict[str, Any], **facts: Any) -> dict[str, str]:
    """What is wrong, by the trap's name: the sentence as it is said."""
    given = OrthancFacts(values={**WELL, **values}, **{"folder": Path("/nowhere"), **facts})
    return {check.name: check.sentence for check in orthanc_checks(given) if check.state != "ok"}


def test_a_configuration_that_stands_in_none_is_not_accused() -> None:
    assert found({}) == {}


@pytest.mark.parametrize("path", [SHIPPED, PROJECT / "docker" / "orthanc.json"], ids=["shipped", "Docker's"])
def test_ours_stand_in_none_but_what_only_a_site_can_mend(path: Path) -> None:
    facts = OrthancFacts(values=read_configuration(path, {}).values, folder=Path("/nowhere"))
    assert {check.name for check in orthanc_checks(facts) if check.state != "ok"} <= {"Encryption"}


@pytest.mark.parametrize(
    ("trap", "values", "told"),
    [
        ("Encryption", {"RemoteAccessAllowed": True}, "without encryption"),
        ("Passwords", {"RegisteredUsers": {"kim": ""}}, "kim"),
        ("Passwords", {"RegisteredUsers": {"kim": "Kim"}}, "kim"),
        ("Passwords", {"RegisteredUsers": {"alice": "alicePassword", "lee": "h8-Wq2!vQz"}}, "alice:"),
        ("Pages of other sites", {"LuaScripts": ["/etc/orthanc/own.lua"]}, f'Add "{GUARD}" to "LuaScripts"'),
        ("DICOM nodes", {"DicomAlwaysAllowFind": True}, "DicomAlwaysAllowFind"),
        ("DICOM nodes", {"DicomAlwaysAllowGet": True, "DicomAlwaysAllowMove": True}, "DicomAlwaysAllowGet, Dicom"),
        ("Certificates", {"SslEnabled": True}, "SslCertificate: /nowhere/certificate.pem"),
        ("Certificates", {"DicomTlsEnabled": True, "DicomTlsPrivateKey": "/nowhere/key"}, "/nowhere/key"),
        ("Certificates", {"SslVerifyPeers": True}, "SslTrustedClientCertificates"),
        ("DICOMweb addresses", {"DicomWeb": {"Host": "localhost"}}, '"localhost"'),
        ("Character set of answers", {"DefaultEncoding": "Latin1"}, "Latin1"),
        ("Character set of answers", {"DefaultEncoding": "Korean"}, "Korean"),
        ("Recycling", {"MaximumPatientCount": 10}, "MaximumPatientCount"),
        ("Storing", {"StoreDicom": False}, "StoreDicom"),
        ("Jobs", {"SaveJobs": True}, "SaveJobs"),
        ("HTTP threads", {"HttpThreadsCount": 4}, "is 4"),
        ("Silent clients", {"HttpRequestTimeout": 0}, "is 0"),
        ("Stable age", {"StableAge": 1}, "1 s"),
        ("Stable age", {"StableAge": 3600}, "3600 s"),
    ],
)
def test_each_trap_is_found(trap: str, values: dict[str, Any], told: str) -> None:
    assert told in found(values)[trap]


def test_a_script_after_the_guard_that_filters_requests_as_well_replaces_it(tmp_path: Path) -> None:
    own = tmp_path / "own.lua"
    own.write_text("function OnStoredInstance() end", encoding="utf-8")
    after, before = [str(GUARD), "own.lua"], ["own.lua", str(GUARD)]
    assert found({"LuaScripts": after}, folder=tmp_path) == {}
    own.write_text("function IncomingHttpRequestFilter() return true end", encoding="utf-8")
    assert str(own) in found({"LuaScripts": after}, folder=tmp_path)["Pages of other sites"]
    assert found({"LuaScripts": before}, folder=tmp_path) == {}


def test_a_key_of_the_wrong_kind_is_no_error_here() -> None:
    keys = (
        "LuaScripts",
        "RegisteredUsers",
        "DicomModalities",
        "DicomWeb",
        "StableAge",
        "HttpThreadsCount",
        "MaximumStorageSize",
    )
    for wrong in ("no", None, [], 1):
        found(dict.fromkeys(keys, wrong))


def test_https_is_a_trap_of_debian_12_alone(tmp_path: Path) -> None:
    (tmp_path / "certificate.pem").touch()
    values = {"SslEnabled": True, "RemoteAccessAllowed": True}
    assert "1.10.1" in found(values, folder=tmp_path, version=DEBIAN_12)["HTTPS"]
    assert found(values, folder=tmp_path, version=(1, 12, 7)) == {}
    assert found(values, folder=tmp_path) == {}


def test_it_is_told_who_may_store_query_and_retrieve() -> None:
    nodes = {
        "pacs": {"AET": "PACS", "Host": "192.0.2.1", "Port": 104},
        "ct": ["CT1", "192.0.2.2", 104],
        "store only": {"AET": "XA2", "Host": "192.0.2.3", "Port": 104, "AllowFind": False, "AllowMove": False},
    }
    facts = OrthancFacts(values={"DicomModalities": nodes, "DicomAlwaysAllowStore": False}, folder=Path("/"))
    told = next(check for check in orthanc_checks(facts) if check.name == "DICOM nodes")
    assert told.sentence == (
        "C-STORE: CT1, PACS, XA2. C-FIND: CT1, PACS. C-MOVE: CT1, PACS. C-GET: CT1, PACS, XA2 (* is every node)."
    )
