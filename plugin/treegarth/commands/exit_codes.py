"""What the exit codes of `treegarth` mean. docs/commands.md shows this table."""

from __future__ import annotations

from enum import IntEnum

from treegarth.errors import (
    DatabaseNewerThanCode,
    DatabaseUnavailable,
    DatabaseUnsuitable,
    EmbeddedServerFailed,
    MachineNotReady,
    SettingsRefused,
    TreegarthError,
)


class ExitCode(IntEnum):
    DONE = 0
    FAILED = 1  # what was asked for was tried and did not succeed; for `check`: something is wrong
    USAGE = 2  # the command line is not understood (argparse's own code)
    CONFIGURATION = 3  # the configuration is refused
    MACHINE = 4  # something is missing or in use on this machine: Orthanc, a plugin, a port, the folder
    DATABASE = 5  # the database does not answer, cannot be used, or is newer than this code


def exit_code_of(error: TreegarthError) -> ExitCode:
    match error:
        case SettingsRefused():
            return ExitCode.CONFIGURATION
        case MachineNotReady():
            return ExitCode.MACHINE
        case DatabaseUnavailable() | DatabaseNewerThanCode() | DatabaseUnsuitable() | EmbeddedServerFailed():
            return ExitCode.DATABASE
        case _:
            return ExitCode.FAILED
