"""Put together what runs inside Orthanc. With `roles` the only module that knows every part."""

from __future__ import annotations

import gc
import json
import os
import sys
from collections.abc import Mapping
from typing import Any

from flask import Flask

from treegarth.assembly import house
from treegarth.database.location import own_server_address
from treegarth.errors import SettingsRefused, TreegarthError
from treegarth.features.archive.finding.service import answer_find
from treegarth.features.archive.pages import ViewerGate, first_series
from treegarth.features.retention.uses import study_opened
from treegarth.features.system.samples import keep_sample
from treegarth.host.logs import log_into_orthanc
from treegarth.host.plugin import Plugin
from treegarth.settings import Settings, problems_of_access, read_settings
from treegarth.web.app import create_app
from treegarth.web.services import Services


def start_in_orthanc(orthanc: Any) -> None:
    """Register with Orthanc. Refuses a bad configuration with one message, which stops Orthanc's start."""
    log_into_orthanc(orthanc)
    sys.setswitchinterval(0.0005)  # a store must not wait 5 ms for a page that is being rendered
    try:
        configuration = json.loads(orthanc.GetConfiguration())
        settings = checked_settings(configuration, os.environ)
        database = own_server_address(settings, os.environ)
        Plugin(orthanc, configuration, settings, database, make_application, keep_sample, answer_find).register()
    except TreegarthError as error:
        for line in str(error).splitlines():
            orthanc.LogError(f"Treegarth refuses to start: {line}")
        raise
    gc.freeze()  # else each full collection walks all modules, and a store waits for it
    gc.enable()


def checked_settings(configuration: dict[str, Any], environment: Mapping[str, str]) -> Settings:
    """The settings of Orthanc's whole configuration. Raises SettingsRefused with all that is wrong."""
    settings = read_settings(configuration.get("Treegarth", {}), environment)
    problems = problems_of_access(settings, configuration)
    if configuration.get("HttpServerEnabled", True) is not True:
        problems.append('"HttpServerEnabled" must be true: Treegarth is served by Orthanc and talks to it over HTTP.')
    if problems:
        raise SettingsRefused("\n".join(problems))
    return settings


def make_application(services: Services) -> Flask:
    """The web application with every feature's routes in the one table."""
    whole = house(services.settings)
    return create_app(
        whole.routes(),
        services,
        parts=whole.parts(),
        opened_in_viewer=lambda uid: study_opened(services, uid, "viewer"),
        instead_of_viewer=ViewerGate(),
        first_series=first_series,
    )
