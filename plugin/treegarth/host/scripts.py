"""Import a site's own Orthanc scripts, whose callbacks share Orthanc's single registrations with ours."""

from __future__ import annotations

import importlib.util
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

from treegarth.errors import SettingsRefused
from treegarth.host.chained_scripts import SharedCallbacks

logger = logging.getLogger(__name__)


def import_chained(paths: Sequence[Path], shared: SharedCallbacks) -> None:
    """Import the scripts in order. Raises SettingsRefused for one that is not there or fails."""
    with shared.lent():
        for path in paths:
            _import(path)


def _import(path: Path) -> None:
    name = f"treegarth_chained_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None or not path.is_file():
        raise SettingsRefused(f"Treegarth.ChainedScripts: {path} is not a Python file.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    sys.path.append(str(path.parent))
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise SettingsRefused(f"Treegarth.ChainedScripts: {path} failed: {type(error).__name__}: {error}.") from error
    logger.info("The script %s is chained.", path.name)
