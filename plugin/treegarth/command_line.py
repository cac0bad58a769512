"""The command `treegarth`: reads its arguments and calls what they mean. Imports late, so that --help is instant."""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from treegarth.errors import SettingsRefused, TreegarthError

if TYPE_CHECKING:
    from treegarth.commands.up import UpOptions

    Commands = argparse._SubParsersAction[argparse.ArgumentParser]

DATA = Path("treegarth-data")

OVERVIEW = """A research and radiation-dose PACS that grows inside a stock Orthanc server.

  treegarth up --data DIR          serve on a folder of its own, until Ctrl-C
  treegarth demo --data DIR        the same, with a made-up hospital day pushed to it
  treegarth users add NAME ...     who may sign in; the first administrator is made so
  treegarth check                  what is wrong with this site's configuration
  treegarth dose read FILE...      the dose in DICOM files, without any server
"""
EXIT_CODES = """exit codes:
  0  done
  1  tried and not succeeded; for `check`: something is wrong
  2  the command line is not understood
  3  the configuration is refused
  4  something is missing or in use on this machine: Orthanc, a plugin, a port, the folder
  5  the database does not answer, cannot be used, or is newer than this code
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code of one call of `treegarth`."""
    options = make_parser().parse_args(arguments)
    try:
        code = int(options.run(options))
        sys.stdout.flush()
        return code
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # the reader (head, less) has seen enough
        return 0
    except TreegarthError as error:
        from treegarth.commands.exit_codes import exit_code_of

        sys.stdout.flush()
        print(f"treegarth: {error}", file=sys.stderr, flush=True)
        return exit_code_of(error)
    except KeyboardInterrupt:
        return 130


def make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="treegarth",
        description=OVERVIEW,
        epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    commands = parser.add_subparsers(metavar="COMMAND", required=True, title="commands")
    add_up(commands)
    add_demo(commands)
    add_worker(commands)
    add_migrate(commands)
    add_check(commands)
    add_dose(commands)
    add_rules(commands)
    add_audit(commands)

    add_users(commands)
    add_tokens(commands)
    add_version(commands)
    return parser


def add_command(commands: Commands, name: str, summary: str, text: str) -> argparse.ArgumentParser:
    return commands.add_parser(
        name,
        help=summary,
        description=f"{summary[0].upper()}{summary[1:]}.\n\n{text}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )


def add_up(commands: Commands) -> None:
    parser = add_command(
        commands,
        "up",
        "serve: Orthanc with Treegarth and its own PostgreSQL, in the foreground",
        """Everything is kept below one folder: objects, index, database, the configuration that was run
(orthanc.json) and Orthanc's log (orthanc.log). Prints "ready URL" once it serves; Ctrl-C or
SIGTERM stops all of it. Without --config the shipped orthanc.json is used: this machine only, no login.

example:
  treegarth up --data /srv/treegarth --http-port 8042 --dicom-port 4242""",
    )
    add_serving_options(parser)
    parser.set_defaults(run=run_up)


def add_demo(commands: Commands) -> None:
    parser = add_command(
        commands,
        "demo",
        "serve, and push a made-up hospital day to it over DICOM",
        """Sends CT, PET/CT, fluoroscopy, mammography and MR studies of invented patients from another process,
waits until each object is indexed and each CT dose is read, and prints the studies with their doses.

examples:
  treegarth demo --data demo              look at it in a browser until Ctrl-C
  treegarth demo --data demo --once       check the outcome against what was sent; exit code 0 or 1""",
    )
    add_serving_options(parser)
    parser.add_argument("--once", action="store_true", help="check the outcome, stop, and exit with 0 or 1")
    parser.set_defaults(run=run_demo)


def add_serving_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--data",
        type=Path,
        default=DATA,
        metavar="DIR",
        help=f"the folder that keeps everything, made when missing (default: {DATA})",
    )
    parser.add_argument(
        "--http-port", type=port, default=8042, metavar="N", help="pages, REST, DICOMweb (default: 8042)"
    )
    parser.add_argument("--dicom-port", type=port, default=4242, metavar="N", help="C-STORE and so on (default: 4242)")
    parser.add_argument(
        "--config",
        type=Path,
        metavar="FILE",
        help="a configuration of Orthanc to start from; folders, ports and plugins are set for this run",
    )
    parser.add_argument(
        "--workers", type=int, metavar="N", help="worker processes, instead of the configuration's Workers"
    )


def add_worker(commands: Commands) -> None:
    parser = add_command(
        commands,
        "worker",
        "run tasks from the database's queue, on this machine or another one",
        """Orthanc starts as many of these as the setting Workers says. Run more of them anywhere that reaches the
database (setting Database) and Orthanc (OrthancUrl, OrthancUser, OrthancPassword). SIGTERM ends it; a task
that is not finished by then is done again by another worker.

example:
  treegarth worker --config /etc/treegarth/worker.json""",
    )
    add_site_options(parser)
    parser.set_defaults(run=run_worker)


def add_migrate(commands: Commands) -> None:
    parser = add_command(
        commands,
        "migrate",
        "bring the database to the form that this version expects",
        """Orthanc does so at its start, too; run it before to know how long it takes. All of it is done or nothing.
There is no way back but a backup: make one before (pg_dump).

examples:
  treegarth migrate --config /etc/orthanc
  treegarth migrate --data /srv/treegarth --dry-run""",
    )
    add_site_options(parser)
    parser.add_argument("--dry-run", action="store_true", help="only say which revisions are missing")
    parser.set_defaults(run=run_migrate)


def add_check(commands: Commands) -> None:
    parser = add_command(
        commands,
        "check",
        "say what is wrong with a configuration or a site, and what to do",
        """Looks at the settings, who is let in, Orthanc and its plugins, Python, the database and the files that the
browser needs. Changes nothing, and starts nothing. Exit code 1 when there is a problem.

examples:
  treegarth check                            the configuration in /etc/orthanc
  treegarth check --data /srv/treegarth      what `treegarth up` ran with""",
    )
    add_site_options(parser)
    parser.set_defaults(run=run_check)


def add_dose(commands: Commands) -> None:
    dose = add_command(commands, "dose", "radiation dose of files or of the archive", "See each with --help.")
    parts = dose.add_subparsers(metavar="COMMAND", required=True, title="commands")
    parser = add_command(
        parts,
        "read",
        "read the dose in DICOM files",
        """Reads radiation dose reports. What could not be read is listed as an issue beside what could.

examples:
  treegarth dose read report.dcm
  treegarth dose read --json *.dcm""",
    )
    parser.add_argument("files", nargs="+", metavar="FILE", help="a DICOM file")
    parser.add_argument("--json", action="store_true", help="one JSON object a line and file, as in the REST API")
    parser.set_defaults(run=run_dose_read)
    add_dose_reread(parts)
    add_dose_redecide(parts)


def add_dose_reread(parts: Commands) -> None:
    parser = add_command(
        parts,
        "reread",
        "read every source of dose in the archive again, as after an upgrade",
        """Looks through the whole archive and has the workers read again whatever can hold dose; Orthanc goes on.
What was read before stays until it is replaced. Interrupted, it goes on where it was: by itself when a worker runs, and
when the command is given again. Prints how far it is until it is done; Ctrl-C ends only the printing.

examples:
  treegarth dose reread --data /srv/treegarth
  treegarth dose reread --config /etc/orthanc --no-wait""",
    )
    add_site_options(parser)
    parser.add_argument("--no-wait", action="store_true", help="do not wait until the workers have read all of it")
    parser.set_defaults(run=run_dose_reread)


def add_dose_redecide(parts: Commands) -> None:
    parser = add_command(
        parts,
        "redecide",
        "decide the dose of every study anew, from what was read",
        """Has the workers decide again what each study's dose is, from the rows that were read: no object is opened,
and those that have left the archive count too. It begins by itself after an upgrade that decides otherwise. Prints how
far it is until it is done; Ctrl-C ends only the printing. What changed stands on the page and in a CSV file.

examples:
  treegarth dose redecide --data /srv/treegarth
  treegarth dose redecide --config /etc/orthanc --no-wait""",
    )
    add_site_options(parser)
    parser.add_argument("--no-wait", action="store_true", help="do not wait until the workers have decided all of them")
    parser.set_defaults(run=run_dose_redecide)


def add_rules(commands: Commands) -> None:
    rules = add_command(commands, "rules", "rules as a text that can be reviewed and kept", "See each with --help.")
    parts = rules.add_subparsers(metavar="COMMAND", required=True, title="commands")
    parser = add_command(
        parts,
        "import",
        "make the rules as a YAML file says",
        """Rules are told apart by their names; those that the file does not name stay as they are. All of it is done or
nothing: when something is wrong, each problem is listed with its place. A new rule acts unless it says "on: false".
Prints what was created, changed, or is the same. FILE may be "-" for standard input.

examples:
  treegarth rules import rules.yaml --data /srv/treegarth --dry-run
  treegarth rules import rules.yaml --config /etc/orthanc""",
    )
    parser.add_argument("file", type=Path, metavar="FILE", help="rules as YAML")
    parser.add_argument("--dry-run", action="store_true", help="only say what would change")
    add_site_options(parser)
    parser.set_defaults(run=run_rules_import)
    parser = add_command(
        parts,
        "export",
        "print every rule as YAML",
        """In the order in which they act, with the comments and the wording that they were imported with.

example:
  treegarth rules export --data /srv/treegarth > rules.yaml""",
    )
    add_site_options(parser)
    parser.set_defaults(run=run_rules_export)


def add_audit(commands: Commands) -> None:
    audit = add_command(
        commands, "audit", "who did what: verify, export, look at it, erase a patient", "See each with --help."
    )
    parts = audit.add_subparsers(metavar="COMMAND", required=True, title="commands")
    parser = add_command(
        parts,
        "verify",
        "say whether the audit trail is as it was written",
        """Reckons the chain of each server again and checks the signatures of its end and its anchors. Exit code 1
where an event was changed, taken out, put in or moved. Keep what it prints elsewhere: a later run can be compared.

examples:
  treegarth audit verify --data /srv/treegarth
  treegarth audit verify --config /etc/orthanc --key other-server/audit.key""",
    )
    parser.add_argument(
        "--key",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        dest="keys",
        help="the key of another server of this database, or an earlier one of this",
    )
    add_site_options(parser)
    parser.set_defaults(run=run_audit_verify)
    parser = add_command(
        parts,
        "export",
        "print events as CSV or JSON lines",
        """In the order in which they were written.

example:
  treegarth audit export --data /srv/treegarth --from 2026-11-01 --to 2026-11-30 > november.csv""",
    )
    parser.add_argument("--format", choices=("csv", "jsonl"), default="csv", help="default: csv")
    parser.add_argument("--from", type=day, metavar="DAY", dest="first", help="the first day, 2026-11-01")
    parser.add_argument("--to", type=day, metavar="DAY", dest="last", help="the last day")
    add_site_options(parser)
    parser.set_defaults(run=run_audit_export)
    parser = add_command(
        parts,
        "tail",
        "print the latest events",
        """One a line, the newest last.

example:
  treegarth audit tail --data /srv/treegarth --count 50""",
    )
    parser.add_argument("--count", type=int, default=20, metavar="N", help="how many (default: 20)")
    add_site_options(parser)
    parser.set_defaults(run=run_audit_tail)

    parser = add_command(
        parts,
        "erase",
        "take a patient out of the trail, for good",
        """What events say of the patient (address, query, studies, Patient IDs) is blanked; that they happened stays,
and the chain still verifies. That it was done is an event of its own. What was searched by a name cannot be known to be
of one patient.

example:
  treegarth audit erase --data /srv/treegarth --patient-id 4711""",
    )
    parser.add_argument("--patient-id", required=True, metavar="ID", help="(0010,0020), as it was stored")
    add_site_options(parser)
    parser.set_defaults(run=run_audit_erase)


def add_users(commands: Commands) -> None:
    users = add_command(commands, "users", "who may sign in, and with which roles", "See each with --help.")
    parts = users.add_subparsers(metavar="COMMAND", required=True, title="commands")
    add_user_command(parts, "list", "list every user", "State, last sign-in, roles; `new` has to choose a password.")
    parser = add_user_command(
        parts,
        "add",
        "make a user",
        """The password is made up, printed this once, and changed at the first sign-in; --password-stdin takes the
first line of standard input instead. Where SignIn is orthanc, NAME is that of a user of Orthanc, who has the password.

examples:
  treegarth users add root --role administrator --data /srv/treegarth
  treegarth users add anna --role physicist --full-name "Anna Kim" --config /etc/orthanc""",
        named=True,
    )
    parser.add_argument("--role", action="append", default=[], metavar="R", help="a role; give it again for another")
    parser.add_argument("--full-name", metavar="NAME", help="what pages call the user")
    parser.add_argument("--password-stdin", action="store_true", help="read the password from standard input")
    parser = add_user_command(
        parts, "roles", "give a user these roles and no others", "Somebody remains an administrator.", named=True
    )
    parser.add_argument("role", nargs="*", metavar="R", help="a role; none: may only sign in")
    parser = add_user_command(
        parts, "password", "set a password to begin with", "Every session of the user ends.", named=True
    )
    parser.add_argument("--password-stdin", action="store_true", help="read the password from standard input")
    add_user_command(parts, "off", "switch a user off", "Sessions end, and no token acts.", named=True)
    add_user_command(parts, "on", "switch a user on again", "", named=True)
    add_user_command(parts, "end-sessions", "sign a user out everywhere", "", named=True)
    text = "For who has lost the app and the recovery codes; the password alone is enough then."
    add_user_command(parts, "second-step-off", "take the second step of the sign-in off a user", text, named=True)


def add_user_command(
    parts: Commands, name: str, summary: str, text: str, *, named: bool = False
) -> argparse.ArgumentParser:
    parser = add_command(parts, name, summary, text)
    if named:
        parser.add_argument("name", metavar="NAME", help="what the user types at the sign-in")
    add_site_options(parser)
    parser.set_defaults(run=run_users, part=name)
    return parser


def add_tokens(commands: Commands) -> None:
    tokens = add_command(commands, "tokens", "keys by which programs act for users", "See each with --help.")
    parts = tokens.add_subparsers(metavar="COMMAND", required=True, title="commands")
    parser = add_command(parts, "list", "list tokens", "Of every user, or of one.")
    parser.add_argument("name", nargs="?", metavar="NAME", help="of this user alone")
    add_site_options(parser)
    parser.set_defaults(run=run_tokens, part="list")
    parser = add_command(
        parts,
        "add",
        "make a token of a user",
        """It may do what the user may, and of that only what --may names. It is printed this once.

examples:
  treegarth tokens add gateway --for "room 2" --may upload --data /srv/treegarth
  treegarth tokens add statistics --for nightly --may "see dose" --may export --days 30""",
    )
    parser.add_argument("name", metavar="NAME", help="the user for whom the program acts")
    parser.add_argument("--for", dest="purpose", required=True, metavar="TEXT", help="what it is for")
    parser.add_argument(
        "--may", action="append", required=True, metavar="PERMISSION", help="one of what roles permit: upload, see dose"
    )
    parser.add_argument("--days", type=int, default=90, metavar="N", help="how long, at most 366 (default: 90)")
    add_site_options(parser)
    parser.set_defaults(run=run_tokens, part="add")
    parser = add_command(parts, "revoke", "take a token back", "Refused within a second.")
    parser.add_argument("number", type=int, metavar="NUMBER", help="as `tokens list` shows it")
    add_site_options(parser)
    parser.set_defaults(run=run_tokens, part="revoke")


def add_version(commands: Commands) -> None:
    parser = add_command(commands, "version", "print the versions of Treegarth and Python", "")
    parser.set_defaults(run=run_version)


def add_site_options(parser: argparse.ArgumentParser) -> None:
    source = parser.add_mutually_exclusive_group()
    add_config_option(source)
    source.add_argument(
        "--data", type=Path, metavar="DIR", help="a folder of `treegarth up`: the configuration it last ran with"
    )


def add_config_option(parser: argparse._ActionsContainer) -> None:
    parser.add_argument(
        "--config",
        type=Path,
        metavar="FILE",
        help="Orthanc's configuration, a file or a folder of them (default: /etc/orthanc)",
    )


def port(given: str) -> int:
    if not re.fullmatch("[0-9]{1,5}", given) or not 1 <= int(given) <= 65535:
        raise argparse.ArgumentTypeError(f"{given} is not a port (1 to 65535)")
    return int(given)


def run_up(options: argparse.Namespace) -> int:
    from treegarth.commands.up import up

    return up(up_options(options), sys.stdout)


def run_demo(options: argparse.Namespace) -> int:
    from treegarth.commands.demo import demo

    return demo(up_options(options), once=options.once, output=sys.stdout)


def up_options(options: argparse.Namespace) -> UpOptions:
    from treegarth.commands.up import UpOptions

    return UpOptions(
        data=options.data.absolute(),
        http_port=options.http_port,
        dicom_port=options.dicom_port,
        source=options.config,
        workers=options.workers,
    )


def run_worker(options: argparse.Namespace) -> int:
    from treegarth.commands.configuration import read_configuration
    from treegarth.commands.worker import worker_command

    return worker_command(read_configuration(source_of(options), os.environ), os.environ)


def run_migrate(options: argparse.Namespace) -> int:
    from treegarth.commands.configuration import read_configuration
    from treegarth.commands.migrate import migrate_command

    configuration = read_configuration(source_of(options), os.environ)
    return migrate_command(configuration, os.environ, dry_run=options.dry_run, output=sys.stdout)


def run_check(options: argparse.Namespace) -> int:
    from treegarth.commands.check import check_command

    return check_command(source_of(options), os.environ, sys.stdout)


def run_dose_read(options: argparse.Namespace) -> int:
    from treegarth.features.dose.reading.command import read_command

    return int(read_command(options.files, options.json, sys.stdout))


def run_dose_reread(options: argparse.Namespace) -> int:
    from treegarth.commands.configuration import read_configuration
    from treegarth.commands.reread import reread_command

    configuration = read_configuration(source_of(options), os.environ)
    return reread_command(configuration, os.environ, wait=not options.no_wait, output=sys.stdout)


def run_dose_redecide(options: argparse.Namespace) -> int:
    from treegarth.commands.configuration import read_configuration
    from treegarth.commands.reread import redecide_command

    configuration = read_configuration(source_of(options), os.environ)
    return redecide_command(configuration, os.environ, wait=not options.no_wait, output=sys.stdout)


def run_rules_import(options: argparse.Namespace) -> int:
    from treegarth.commands.configuration import read_configuration
    from treegarth.commands.rules import import_command

    configuration = read_configuration(source_of(options), os.environ)
    return import_command(configuration, os.environ, options.file, dry_run=options.dry_run, output=sys.stdout)


def run_rules_export(options: argparse.Namespace) -> int:
    from treegarth.commands.configuration import read_configuration
    from treegarth.commands.rules import export_command

    return export_command(read_configuration(source_of(options), os.environ), os.environ, sys.stdout)


def run_audit_verify(options: argparse.Namespace) -> int:
    from treegarth.commands.audit import verify_command
    from treegarth.commands.configuration import read_configuration

    return verify_command(read_configuration(source_of(options), os.environ), os.environ, options.keys, sys.stdout)


def run_audit_export(options: argparse.Namespace) -> int:
    from treegarth.commands.audit import export_command
    from treegarth.commands.configuration import read_configuration

    configuration = read_configuration(source_of(options), os.environ)
    given = {"form": options.format, "first": options.first, "last": options.last}
    return export_command(configuration, os.environ, sys.stdout, **given)


def run_audit_tail(options: argparse.Namespace) -> int:
    from treegarth.commands.audit import tail_command
    from treegarth.commands.configuration import read_configuration

    return tail_command(read_configuration(source_of(options), os.environ), os.environ, options.count, sys.stdout)


def run_audit_erase(options: argparse.Namespace) -> int:
    from treegarth.commands.audit import erase_command
    from treegarth.commands.configuration import read_configuration

    configuration = read_configuration(source_of(options), os.environ)
    return erase_command(configuration, os.environ, options.patient_id, sys.stdout)


def day(text: str) -> date:
    """A day in ISO form."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no day like 2026-11-30") from None


def run_users(options: argparse.Namespace) -> int:
    from treegarth.commands import users
    from treegarth.commands.configuration import read_configuration

    def act(site: users.Site) -> None:
        given = users.password_of_stdin() if getattr(options, "password_stdin", False) else ""
        match options.part:
            case "list":
                users.list_users(site)
            case "add":
                users.add(site, options.name, options.role, options.full_name, given)
            case "roles":
                users.change_roles(site, options.name, options.role)
            case "password":
                users.set_password(site, options.name, given)
            case "end-sessions":
                users.end_sessions(site, options.name)
            case "second-step-off":
                users.take_second_step_off(site, options.name)
            case state:
                users.switch(site, options.name, is_on=state == "on")

    return users.run(read_configuration(source_of(options), os.environ), os.environ, sys.stdout, act)


def run_tokens(options: argparse.Namespace) -> int:
    from treegarth.commands import users
    from treegarth.commands.configuration import read_configuration

    def act(site: users.Site) -> None:
        match options.part:
            case "list":
                users.list_tokens(site, options.name)
            case "add":
                users.add_token(site, options.name, options.purpose, options.may, options.days)
            case _:
                users.revoke(site, options.number)

    return users.run(read_configuration(source_of(options), os.environ), os.environ, sys.stdout, act)


def run_version(options: argparse.Namespace) -> int:
    from importlib.metadata import version

    print(f"Treegarth {version('treegarth')}, Python {sys.version.split()[0]}")
    return 0


def source_of(options: argparse.Namespace) -> Path:
    """The configuration that is meant. Raises SettingsRefused where there is none."""
    if options.data:
        source = Path(options.data) / "orthanc.json"
        missing = f"{source} is not there: `treegarth up --data {options.data}` has not run yet."
    else:
        source = Path(options.config or "/etc/orthanc")
        missing = f"{source} is not there; name Orthanc's configuration by --config."
    if not source.exists():
        raise SettingsRefused(missing)
    return source


if __name__ == "__main__":
    raise SystemExit(main())
