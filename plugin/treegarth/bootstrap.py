"""Put together what runs inside Orthanc. With `roles` the only module that knows every part."""

from __future__ import annotations

import gc
import json
import os
import sys
from collections.abc import Mapping
from typing import Any

from flask import Flask

from treegarth.assembly import retention_desk, rule_language
from treegarth.database.locating import own_server_address
from treegarth.errors import SettingsRefused, TreegarthError
from treegarth.features import archive, dose, rules, system
from treegarth.features.archive import api as archive_api
from treegarth.features.archive import pages as archive_pages
from treegarth.features.archive.store import measuring as archive_measuring
from treegarth.features.deliveries import api as deliveries_api
from treegarth.features.deliveries import destinations_api
from treegarth.features.deliveries import pages as deliveries_pages
from treegarth.features.deliveries.store import measuring as deliveries_measuring
from treegarth.features.deliveries.store.destinations import destination_names
from treegarth.features.dose import api as dose_api
from treegarth.features.dose import pages as dose_pages
from treegarth.features.dose.store import measuring as dose_measuring
from treegarth.features.dose.store.dose_objects import dose_objects
from treegarth.features.retention import api as retention_api
from treegarth.features.retention import pages as retention_pages
from treegarth.features.retention.uses import study_opened
from treegarth.features.rules import api as rules_api
from treegarth.features.rules import pages as rules_pages
from treegarth.features.rules.store import measuring as rules_measuring
from treegarth.features.rules.store.labels import list_labels
from treegarth.features.system import api as system_api
from treegarth.features.system import metrics
from treegarth.features.system import pages as system_pages
from treegarth.features.system.api import WorkCounts
from treegarth.host.logs import log_into_orthanc
from treegarth.host.plugin import Plugin
from treegarth.settings import Settings, problems_of_access, read_settings
from treegarth.web.app import create_app
from treegarth.web.routes import Route
from treegarth.web.services import Services


def start_in_orthanc(orthanc: Any) -> None:
    """Register with Orthanc. Refuses a bad configuration with one message, which stops Orthanc's start."""
    log_into_orthanc(orthanc)
    sys.setswitchinterval(0.0005)  # a store must not wait 5 ms for a page that is being rendered
    try:
        configuration = json.loads(orthanc.GetConfiguration())
        settings = checked_settings(configuration, os.environ)
        database = own_server_address(settings, os.environ)
        Plugin(orthanc, configuration, settings, database, make_application).register()
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
    return create_app(
        all_routes(services),
        services,
        opened_in_viewer=lambda uid: study_opened(services, uid, "viewer"),
        instead_of_viewer=archive_pages.ViewerGate(),
    )


def all_routes(services: Services) -> list[Route]:
    """Every endpoint of every feature: the one route table. Here features lend each other sections of their pages."""
    counts = WorkCounts(
        indexed_instances=archive.count_instances,
        stale_series=archive.count_stale,
        dose_waiting=dose.count_waiting,
    )
    health = (
        system.host_checks,
        archive_pages.health_check,
        dose_pages.health_check,
        rules_pages.health_check,
        deliveries_pages.health_check,
    )
    book = rules.RuleBook(rule_language(services.settings))
    desk = retention_desk(services)
    deliveries_section = deliveries_pages.make_study_section(list_labels)

    return [
        *archive_api.routes(),
        *archive_pages.routes(
            study_sections=[dose_pages.study_section, deliveries_section, retention_pages.study_section],
            kept_elsewhere=[dose_pages.kept_study_address],
            checks=health,
        ),
        *dose_api.routes(),
        *dose_pages.routes(),
        *rules_api.routes(services, book),
        *rules_pages.routes(
            rules_pages.RulePages(book, destination_names, [one.name for one in services.settings.webhooks])
        ),
        *deliveries_pages.routes(),
        *destinations_api.routes(services, os.environ),
        *deliveries_api.routes(services, dose_objects),
        *retention_api.routes(desk),
        *retention_pages.routes(desk),
        *system_api.routes(services, counts),
        *metrics.routes(services, measures()),
        *system_pages.routes(checks=health, sections=[archive_pages.progress_section, dose_pages.system_section]),
    ]


def measures() -> list[metrics.Measure]:
    """What each feature measures for a monitoring system."""
    return [
        archive_measuring.measure,
        dose_measuring.measure,
        rules_measuring.measure,
        deliveries_measuring.measure,
    ]
