"""The command `treegarth`: quick to explain itself, exact in what it refuses and in the exit code it refuses with."""

from __future__ import annotations

import io
import json
import os
import socket
import subprocess
import sys
import time
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest

from treegarth.command_line import main
from treegarth.commands.check import check, check_browser_files, check_command
from treegarth.commands.configuration import read_configuration, refused_settings, write_configuration
from treegarth.commands.demo import places_to_try
from treegarth.commands.exit_codes import ExitCode
from treegarth.commands.findings import Level
from treegarth.commands.orthanc_process import environment_for_orthanc, health_check
from treegarth.commands.plugins import find_plugin, python_mismatch, python_of_plugin
from treegarth.commands.up import UpOptions, check_ports, compose, only_one
from treegarth.errors import MachineNotReady, SettingsRefused
from treegarth.settings import read_settings

SHIPPED = Path(__file__).parents[2] / "orthanc.json"


def written(folder: Path, values: dict[str, Any], name: str = "orthanc.json") -> Path:
    (folder / name).write_text(json.dumps(values), encoding="utf-8")
    return folder / name


def fake_plugin(folder: Path, name: str, python: str | None) -> Path:
    """A library as far as we look into one: which Python its dynamic section names."""
    folder.mkdir(exist_ok=True)
    content = b"\x7fELF..." + (f"libpython{python}.so.1.0".encode() if python else b"") + b"\0libc.so.6"
    (folder / f"{name}.so").write_bytes(content)
    return folder / f"{name}.so"


OUR_PYTHON = f"{sys.version_info[0]}.{sys.version_info[1]}"


class TestHelp:
    def test_it_imports_nothing_heavy(self) -> None:
        code = "import sys, treegarth.command_line as line; line.make_parser().format_help(); print(*sys.modules)"
        loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
        assert not {"sqlalchemy", "psycopg", "pydantic", "flask", "pydicom", "numpy", "alembic"} & set(loaded)

    @pytest.mark.parametrize("command", ["up", "demo", "worker", "migrate", "check", "dose read"])
    def test_each_command_shows_an_example(self, command: str, capsys: pytest.CaptureFixture[str]) -> None:
        with pytest.raises(SystemExit) as ended:
            main([*command.split(), "--help"])
        assert ended.value.code == 0
        assert f"  treegarth {command} " in capsys.readouterr().out

    def test_a_command_line_that_is_not_understood_ends_with_2(self, capsys: pytest.CaptureFixture[str]) -> None:
        for arguments in ([], ["serve"], ["up", "--http-port", "99999"], ["check", "--data", "a", "--config", "b"]):
            with pytest.raises(SystemExit) as ended:
                main(arguments)
            assert ended.value.code == ExitCode.USAGE
        assert "99999 is not a port (1 to 65535)" in capsys.readouterr().err

    def test_version(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["version"]) == 0
        assert capsys.readouterr().out.startswith("Treegarth 0.")


class TestConfiguration:
    def test_the_shipped_one_is_good_as_it_stands(self) -> None:
        configuration = read_configuration(SHIPPED, {})
        assert refused_settings(configuration, {}).sign_in == "none"
        assert configuration.values["DicomAet"] == "TREEGARTH"

    def test_comments_are_read_over_as_orthanc_does(self, tmp_path: Path) -> None:
        (tmp_path / "a.json").write_text('{ /* one */ "Name": "of // a site" // two\n}', encoding="utf-8")
        assert read_configuration(tmp_path / "a.json", {}).values == {"Name": "of // a site"}

    def test_variables_are_filled_in_as_orthanc_does(self, tmp_path: Path) -> None:
        source = written(tmp_path, {"Name": "${WHO}", "DicomAet": "${NOT_SET:-OTHERWISE}"})
        assert read_configuration(source, {"WHO": "us"}).values == {"Name": "us", "DicomAet": "OTHERWISE"}

    def test_the_files_of_a_folder_are_one(self, tmp_path: Path) -> None:
        written(tmp_path, {"Name": "a"}, "a.json")
        written(tmp_path, {"HttpPort": 1}, "b.json")
        assert read_configuration(tmp_path, {}).values == {"Name": "a", "HttpPort": 1}
        written(tmp_path, {"Name": "c"}, "c.json")
        with pytest.raises(SettingsRefused, match=r"c\.json repeats Name"):
            read_configuration(tmp_path, {})

    def test_what_is_not_json_is_named(self, tmp_path: Path) -> None:
        (tmp_path / "a.json").write_text("{", encoding="utf-8")
        with pytest.raises(SettingsRefused, match=r"a\.json is not JSON"):
            read_configuration(tmp_path / "a.json", {})

    def test_the_embedded_database_lies_in_the_index_directory_unless_set(self, tmp_path: Path) -> None:
        plain = read_configuration(written(tmp_path, {"IndexDirectory": "index"}), {})
        assert plain.embedded_folder(plain.settings({})) == tmp_path / "index/treegarth/postgresql"
        chosen = read_configuration(written(tmp_path, {"Treegarth": {"DataDirectory": "/srv/x"}}), {})
        assert chosen.embedded_folder(chosen.settings({})) == Path("/srv/x/postgresql")

    def test_it_is_written_for_its_owner_alone(self, tmp_path: Path) -> None:
        write_configuration(tmp_path / "orthanc.json", {"Name": "É홍"})
        write_configuration(tmp_path / "orthanc.json", {"Name": "홍"})
        assert (tmp_path / "orthanc.json").stat().st_mode & 0o777 == 0o600
        assert read_configuration(tmp_path / "orthanc.json", {}).values == {"Name": "홍"}


class TestPlugins:
    def test_a_plugin_is_found_by_its_name_in_folders_and_as_a_file(self, tmp_path: Path) -> None:
        plugin = fake_plugin(tmp_path / "plugins", "libOrthancPython", "3.11")
        fake_plugin(tmp_path / "plugins", "libOrthancPythonically", None)
        assert find_plugin("libOrthancPython", [tmp_path / "none", plugin.parent]) == plugin
        assert find_plugin("libOrthancPython", [plugin]) == plugin
        assert find_plugin("libOrthancDicomWeb", [plugin.parent]) is None

    def test_one_that_embeds_another_python_is_told_apart(self, tmp_path: Path) -> None:
        assert python_of_plugin(fake_plugin(tmp_path, "a", "3.9")) == (3, 9)
        assert "embeds Python 3.9, but Treegarth is installed for Python" in str(
            python_mismatch(fake_plugin(tmp_path, "a", "3.9"))
        )
        assert python_mismatch(fake_plugin(tmp_path, "b", OUR_PYTHON)) is None


class TestUp:
    def options(self, tmp_path: Path, **given: Any) -> UpOptions:
        return UpOptions(**{"data": tmp_path / "data", "http_port": 18042, "dicom_port": 14242, **given})

    def source(self, tmp_path: Path, **given: Any) -> Path:
        plugins = tmp_path / "plugins"
        fake_plugin(plugins, "libOrthancPython", OUR_PYTHON)
        fake_plugin(plugins, "libOrthancDicomWeb", None)
        values = {"Plugins": [str(plugins)], "Treegarth": {"SignIn": "none"}, **given}
        return written(tmp_path, values, "site.json")

    def test_folders_ports_and_the_script_are_set_and_the_rest_is_kept(self, tmp_path: Path) -> None:
        source = self.source(tmp_path, Name="Ours", DicomAet="OURS", StableAge=90)
        values = compose(self.options(tmp_path, source=source, workers=3)).values
        assert (values["Name"], values["DicomAet"], values["StableAge"]) == ("Ours", "OURS", 90)
        assert (values["HttpPort"], values["DicomPort"]) == (18042, 14242)
        assert values["StorageDirectory"] == str(tmp_path / "data/storage")
        assert values["Plugins"] == [str(tmp_path / "plugins")]
        assert Path(values["PythonScript"]).is_file()
        assert values["Treegarth"] == {
            "SignIn": "none",
            "DataDirectory": str(tmp_path / "data/treegarth"),
            "Workers": 3,
        }

    def test_what_decodes_jpeg_2000_is_loaded_where_it_is_named_and_there(self, tmp_path: Path) -> None:
        there = fake_plugin(tmp_path / "others", "libOrthancGdcm", None)
        named = [str(tmp_path / "plugins"), "/nowhere/libOrthancGdcm.so", str(there)]
        plugins = compose(self.options(tmp_path, source=self.source(tmp_path, Plugins=named))).values["Plugins"]
        assert plugins == [named[0], named[2]]

    def test_the_guard_is_the_last_of_the_scripts_and_there_once(self, tmp_path: Path) -> None:
        for own in ([], ["/etc/own.lua"], ["/opt/elsewhere/orthanc_guard.lua", "/etc/own.lua"]):
            source = self.source(tmp_path, LuaScripts=own)
            *others, guard = compose(self.options(tmp_path, source=source)).values["LuaScripts"]
            assert Path(guard).is_file()
            assert others == [one for one in own if "guard" not in one]

    def test_only_a_demonstration_lets_destinations_use_this_machine(self, tmp_path: Path) -> None:
        source, own = self.source(tmp_path), {"DestinationPlaces": {"Folders": ["/srv/exports"]}}
        assert "DestinationPlaces" not in compose(self.options(tmp_path, source=source)).values["Treegarth"]
        trying = self.options(tmp_path, source=source, section=places_to_try(tmp_path / "data"))
        places = read_settings(compose(trying).values["Treegarth"], {}).destination_places
        assert places.folders == (tmp_path / "data/exports",)
        places.check_address("localhost", 4242, ip_address("127.0.0.1"))
        source = self.source(tmp_path, Treegarth=own)  # a site's own are kept
        trying = self.options(tmp_path, source=source, section=places_to_try(tmp_path / "data"))
        assert compose(trying).values["Treegarth"]["DestinationPlaces"] == own["DestinationPlaces"]

    def test_a_python_that_does_not_fit_is_refused(self, tmp_path: Path) -> None:
        source = self.source(tmp_path)
        fake_plugin(tmp_path / "plugins", "libOrthancPython", "3.2")
        with pytest.raises(MachineNotReady, match=r"embeds Python 3\.2"):
            compose(self.options(tmp_path, source=source))

    def test_a_taken_port_is_named_with_the_way_to_choose_another(self, tmp_path: Path) -> None:
        with socket.create_server(("", 0)) as taken:
            port = taken.getsockname()[1]
            with pytest.raises(MachineNotReady, match=rf"HTTP port {port} .*--http-port N \(make run HTTP_PORT=N\)"):
                check_ports(self.options(tmp_path, http_port=port), True)
            free = self.options(tmp_path, http_port=free_port(), dicom_port=port)
            with pytest.raises(MachineNotReady, match=rf"DICOM port {port} .*--dicom-port N"):
                check_ports(free, True)
            check_ports(free, False)

    def test_only_one_runs_on_a_folder(self, tmp_path: Path) -> None:
        with only_one(tmp_path / "data"):
            assert (tmp_path / "data").stat().st_mode & 0o777 == 0o700
            with pytest.raises(MachineNotReady, match="already runs on the folder"), only_one(tmp_path / "data"):
                pass
        with only_one(tmp_path / "data"):
            pass

    def test_a_refused_configuration_ends_with_3_before_anything_starts(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        source = self.source(tmp_path, Treegarth={"SignIn": "none", "Wrokers": 1})
        assert main(["up", "--data", str(tmp_path / "d"), "--config", str(source)]) == ExitCode.CONFIGURATION
        assert "Treegarth.Wrokers is not a setting" in capsys.readouterr().err
        assert not (tmp_path / "d" / "orthanc.json").exists()

    def test_a_login_less_server_for_others_is_refused(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        source = self.source(tmp_path, RemoteAccessAllowed=True)
        assert main(["up", "--data", str(tmp_path / "d"), "--config", str(source)]) == ExitCode.CONFIGURATION
        assert "lets everybody in" in capsys.readouterr().err

    def test_orthanc_gets_a_utf8_environment_and_our_packages(self) -> None:
        environment = environment_for_orthanc({"LC_ALL": "C", "PYTHONHOME": "/x", "PATH": "/bin"})
        assert (environment["LANG"], environment["PYTHONUTF8"]) == ("C.UTF-8", "1")
        assert not {"LC_ALL", "PYTHONHOME"} & set(environment)

    def test_health_is_asked_for_with_a_login_where_there_is_one(self) -> None:
        values = {"AuthenticationEnabled": True, "RegisteredUsers": {"a": "b"}, "SslEnabled": True}
        asked = health_check(values, 8042)
        assert asked.url == "https://127.0.0.1:8042/treegarth/api/v1/health"
        assert asked.authorization == "Basic YTpi"
        assert "YTpi" not in repr(asked)
        assert health_check({}, 8042).authorization is None


class TestCheck:
    def findings(self, source: Path, environment: dict[str, str] | None = None) -> dict[Level, list[str]]:
        found: dict[Level, list[str]] = {level: [] for level in Level}
        for finding in check(source, environment or {}):
            found[finding.level].append(finding.sentence)
        return found

    def good(self, tmp_path: Path, **given: Any) -> dict[str, Any]:
        plugins = tmp_path / "plugins"
        fake_plugin(plugins, "libOrthancPython", OUR_PYTHON)
        fake_plugin(plugins, "libOrthancDicomWeb", None)
        script = tmp_path / "orthanc_entry.py"
        script.touch()
        return {
            "Plugins": [str(plugins)],
            "PythonScript": str(script),
            "Treegarth": {"SignIn": "none", "DataDirectory": str(tmp_path)},
            **given,
        }

    def problems(self, tmp_path: Path, **given: Any) -> list[str]:
        """What is wrong because of the given, apart from what this checkout has not prepared for browsers."""
        prepared = [finding.sentence for finding in check_browser_files() if finding.level is Level.PROBLEM]
        found = self.findings(written(tmp_path, self.good(tmp_path, **given)))
        return [sentence for sentence in found[Level.PROBLEM] if sentence not in prepared]

    def test_a_good_site_has_no_problem(self, tmp_path: Path) -> None:
        assert self.problems(tmp_path) == []
        assert not list(tmp_path.glob("postgresql"))  # nothing was started or made

    def test_a_python_plugin_that_cannot_refuse_a_c_store_is_noted(self, tmp_path: Path) -> None:
        source = written(tmp_path, self.good(tmp_path))
        plugin = tmp_path / "plugins" / "libOrthancPython.so"
        (said,) = [one for one in self.findings(source)[Level.NOTE] if "C-STORE" in one]
        assert said.startswith(f"{plugin} cannot refuse a C-STORE")
        plugin.write_bytes(plugin.read_bytes() + b"RegisterIncomingCStoreInstanceFilter\0")
        assert not [one for one in self.findings(source)[Level.NOTE] if "C-STORE" in one]

    def test_that_what_decodes_jpeg_2000_can_end_orthanc_is_noted(self, tmp_path: Path) -> None:
        source = written(tmp_path, self.good(tmp_path))
        assert not [one for one in self.findings(source)[Level.NOTE] if "JPEG 2000" in one]
        plugin = fake_plugin(tmp_path / "plugins", "libOrthancGdcm", None)
        (said,) = [one for one in self.findings(source)[Level.NOTE] if "JPEG 2000" in one]
        assert said.startswith(f"{plugin} decodes")

    @pytest.mark.parametrize(
        ("given", "told"),
        [
            ({"Plugins": ["/nowhere/libOther.so"]}, "/nowhere/libOther.so, which is not there"),
            ({"Plugins": []}, "apt-get install orthanc-python"),
            ({"Plugins": []}, "apt-get install orthanc-dicomweb"),
            ({"DicomWeb": {"Enable": False}}, "keeps images from the viewer"),
            ({"PythonScript": "/etc/hostname"}, '"ChainedScripts"'),
            ({"PythonScript": "/nowhere.py"}, "/nowhere.py, which is not there"),
            ({"LuaScripts": ["/nowhere.lua"]}, "/nowhere.lua, which is not there"),
            ({"StableAge": 1}, '"StableAge" is 1 s'),
            ({"HttpRequestTimeout": 0}, '"HttpRequestTimeout" is 0'),
            ({"HttpThreadsCount": 2}, "HttpThreadsCount is 2"),
            ({"SslEnabled": True, "SslCertificate": "none.pem"}, "none.pem"),
            ({"DicomTlsEnabled": True}, "DicomTlsPrivateKey"),
            ({"RegisteredUsers": {"kim": ""}}, "kim: the password is empty"),
            ({"HttpServerEnabled": False}, '"HttpServerEnabled" is false'),
            ({"StoreDicom": False}, '"StoreDicom" is false'),
            ({"RemoteAccessAllowed": True, "AuthenticationEnabled": False}, "lets everybody in"),
            ({"Treegarth": {}}, "RegisteredUsers"),
            ({"Treegarth": {"SignIn": "none"}, "IndexDirectory": "db"}, '"IndexDirectory" is db, which depends on'),
            ({"Treegarth": {"SignIn": "none", "DataDirectory": "here"}}, '"DataDirectory" is here'),
            ({"Treegarth": {"SignIn": "none", "Wrokers": 1}}, "Wrokers is not a setting"),
            (
                {"Treegarth": {"SignIn": "none", "ChainedScripts": ["/nowhere.py"]}},
                '"ChainedScripts" names /nowhere.py',
            ),
            ({"Treegarth": {"SignIn": "none", "OrthancPassword": {"Environment": "NOT_SET_HERE"}}}, "NOT_SET_HERE"),
            (
                {"Treegarth": {"SignIn": "none", "Database": "postgresql://a@127.0.0.1:1/b"}},
                "PostgreSQL does not answer",
            ),
        ],
    )
    def test_each_thing_that_is_wrong_is_told(self, tmp_path: Path, given: dict[str, Any], told: str) -> None:
        assert any(told in sentence for sentence in self.problems(tmp_path, **given))

    def test_workers_elsewhere_are_worth_a_note(self, tmp_path: Path) -> None:
        source = written(tmp_path, self.good(tmp_path, Treegarth={"SignIn": "none", "Workers": 0}))
        assert any('"Workers" is 0' in sentence for sentence in self.findings(source)[Level.NOTE])

    def test_unprepared_browser_files_are_told_with_the_command_that_prepares_them(self, tmp_path: Path) -> None:
        told = [finding.sentence for finding in check_browser_files(tmp_path)]
        assert len(told) == 2
        assert all("make setup" in sentence for sentence in told)

    def test_problems_come_last_and_give_exit_code_1(self, tmp_path: Path) -> None:
        output = io.StringIO()
        source = written(tmp_path, self.good(tmp_path, HttpRequestTimeout=0))
        assert check_command(source, {}, output) == ExitCode.FAILED
        lines = output.getvalue().splitlines()
        assert lines[-2].startswith("problem  ")
        assert lines[-1].endswith(f"in {source}.")

    def test_a_missing_configuration_ends_with_3(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["check", "--config", str(tmp_path / "none.json")]) == ExitCode.CONFIGURATION
        assert "name Orthanc's configuration by --config" in capsys.readouterr().err
        assert main(["migrate", "--data", str(tmp_path)]) == ExitCode.CONFIGURATION
        assert "has not run yet" in capsys.readouterr().err


class TestWorker:
    def test_it_says_what_it_needs(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        login = written(tmp_path, {"AuthenticationEnabled": True, "Treegarth": {"SignIn": "none"}})
        assert main(["worker", "--config", str(login)]) == ExitCode.CONFIGURATION
        assert "Treegarth.OrthancUser" in capsys.readouterr().err
        alone = written(tmp_path, {"Treegarth": {"SignIn": "none", "DataDirectory": str(tmp_path)}})
        assert main(["worker", "--config", str(alone)]) == ExitCode.DATABASE
        assert "set Treegarth.Database" in capsys.readouterr().err


def free_port() -> int:
    with socket.create_server(("", 0)) as probe:
        return int(probe.getsockname()[1])


def test_a_reader_that_has_seen_enough_is_no_error() -> None:
    command = [sys.executable, "-m", "treegarth.command_line", "version"]
    reading, writing = os.pipe()
    os.close(reading)
    began = time.monotonic()
    done = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, text=True, check=False)
    os.close(writing)
    assert (done.returncode, done.stderr) == (0, "")
    assert time.monotonic() - began < 20
