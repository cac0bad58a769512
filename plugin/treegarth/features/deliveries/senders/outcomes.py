"""Outcomes of sends over HTTP, whatever the protocol: one for each object, also where the connection breaks midway."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import requests

from treegarth.features.deliveries.model import DeliveryObject, Outcome, Proof
from treegarth.features.deliveries.senders.protocol import DestinationUnreachable
from treegarth.features.deliveries.senders.web import failure, never_left
from treegarth.phrases import P_

NOT_HERE = P_("It is not in Orthanc any more.")


def send_in_groups(
    groups: Sequence[Sequence[DeliveryObject]], send: Callable[[Sequence[DeliveryObject]], list[Outcome]]
) -> list[Outcome]:
    """Group after group until the connection fails; then the rest is not tried.

    What was on its way when the connection broke may have arrived. Raises DestinationUnreachable where nothing was
    sent.
    """
    outcomes: list[Outcome] = []
    for place, group in enumerate(groups):
        try:
            outcomes.extend(send(group))
        except requests.RequestException as error:
            reason, left = failure(error), never_left(error)
            if left and not outcomes:
                raise DestinationUnreachable(reason) from error
            arrived = False if left else None
            outcomes.extend(outcome(one, arrived, reason=reason, begun=not left) for one in group)
            rest = (one for later in groups[place + 1 :] for one in later)
            outcomes.extend(outcome(one, False, reason=reason, begun=False) for one in rest)
            break
    return outcomes


def outcome(
    one: DeliveryObject,
    arrived: bool | None,
    *,
    proof: Proof | None = None,
    reason: str | None = None,
    begun: bool = True,
    has_it: bool = False,
    answered: bool = False,
) -> Outcome:
    """How the sending of one object ended."""
    return Outcome(
        orthanc_instance_id=one.orthanc_instance_id,
        arrived=arrived,
        proof=proof,
        reason=reason,
        begun=begun,
        has_it=has_it,
        answered=answered,
    )


def gone(one: DeliveryObject) -> Outcome:
    """It left Orthanc before its turn came."""
    return Outcome(orthanc_instance_id=one.orthanc_instance_id, arrived=False, reason=NOT_HERE, begun=False, gone=True)
