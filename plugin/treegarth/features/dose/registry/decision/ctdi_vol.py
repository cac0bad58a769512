"""CTDIvol of a device's events: there is no sum of it, the greatest counts. Pure."""

from __future__ import annotations

from dataclasses import replace

from treegarth.features.dose.registry.decision.accounts import Account
from treegarth.features.dose.registry.decision.clusters import Cluster
from treegarth.features.dose.registry.decision.facts import EventFacts
from treegarth.features.dose.registry.decision.quantities import Amount, Of, event_amount


def ctdi_vols(of: Of) -> list[Amount]:
    """Of each CT event of a device; of the images of one acquisition the greatest: each gives what it was there."""
    found = []
    for event in of.events:
        if event.is_elsewhere or not any(one.source.kind == "ct" for one in event.accounts):
            continue
        amount = event_amount(_ctdi_vol, event, of)
        if amount.value is not None and amount.origin == "headers":
            values = [value for one in event.accounts if (value := _ctdi_vol(one.event)) is not None]
            amount = replace(amount, value=max(values), origin="headers", disagrees=False)
        if event.is_unsure and event.has_document:
            amount = replace(amount, origin="partial", is_partial=True)
        if amount.value is not None or not any(one.event.is_localizer for one in event.accounts):
            found.append(amount)
    if any(one.value is not None for one in found):
        return found
    device_of = of.resolved.clusters.device_of
    headers = [one for one in of.resolved.superseded_headers if device_of(one) == of.device]
    of_headers = [
        Amount(value=value, origin="headers", is_sampled=source.is_sampled)
        for source in headers
        for event in source.events
        if (value := _ctdi_vol(event)) is not None
    ]
    is_untold = not found and any(one.kind == "ct" for one in of.documents)
    return of_headers or found or ([Amount(is_missing=True)] if is_untold else [])


def best_account(event: Cluster) -> Account:
    """The best account of an event; of images of one acquisition the one of the greatest CTDIvol."""
    if event.has_document:
        return event.accounts[0]
    return max(event.accounts, key=lambda one: _ctdi_vol(one.event) or 0.0)


def _ctdi_vol(event: EventFacts) -> float | None:
    return event.numbers.get("mean_ctdi_vol_mgy")
