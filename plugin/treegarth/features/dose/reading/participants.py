"""Read who and what took part: persons (TID 1020), persons that observe (TID 1003) and devices (TID 1021). Pure.

Names are written as in the report (PS3.5 6.2, VR PN). A person or a device is kept with whatever is told of it.
"""

from __future__ import annotations

from typing import Any

from treegarth.dicom import codes
from treegarth.features.dose.reading.fields import Meaning, Table, Uid, Words
from treegarth.features.dose.reading.part import Part

PERSON: Table = {
    codes.PERSON_ROLE_IN_PROCEDURE: Meaning("role_in_procedure"),
    codes.PERSON_ROLE_IN_ORGANIZATION: Meaning("role_in_organization"),
    codes.PERSON_ID: Words("id"),
    codes.PERSON_ID_ISSUER: Words("id_issuer"),
    codes.ORGANIZATION_NAME: Words("organization"),
}
NAME = Words("name")

OBSERVER: Table = {
    codes.PERSON_OBSERVER_NAME: NAME,
    codes.PERSON_OBSERVER_ROLE_IN_PROCEDURE: Meaning("role_in_procedure", many=True),
    codes.PERSON_OBSERVER_ROLE_IN_ORGANIZATION: Meaning("role_in_organization", many=True),
    codes.PERSON_OBSERVER_IDENTIFIER: Words("id"),
    codes.PERSON_OBSERVER_LOGIN_NAME: Words("login_name"),
    codes.PERSON_OBSERVER_ORGANIZATION_NAME: Words("organization"),
}
"""Of one observer; they stand beside each other, each from its name on."""

DEVICE: Table = {
    codes.DEVICE_NAME: Words("name"),
    codes.DEVICE_MANUFACTURER: Words("manufacturer"),
    codes.DEVICE_MODEL_NAME: Words("model_name"),
    codes.DEVICE_SERIAL_NUMBER: Words("serial_number"),
    codes.DEVICE_OBSERVER_UID: Uid("uid"),
}
ROLE = Meaning("role_in_procedure")


def read_persons(part: Part) -> dict[str, Any]:
    """The persons that take part in what this container is of."""
    persons = []
    for person in part.parts(codes.PERSON_NAME):
        name = part.read(codes.PERSON_NAME, NAME, person.item)
        values = ({"name": name} if name else {}) | person.values(PERSON)
        persons += [values] if values else []
    return {"persons": persons} if persons else {}


def read_observers(part: Part) -> list[dict[str, Any]]:
    """The persons that made or checked this report, each marked as an observer."""
    observers = (observer.values(OBSERVER) for observer in part.runs(codes.PERSON_OBSERVER_NAME))
    return [observer | {"is_observer": True} for observer in observers if observer]


def read_devices(part: Part) -> dict[str, Any]:
    """The devices that take part, such as the one that irradiates where another one writes the report."""
    devices = []
    for device in part.parts(codes.DEVICE_ROLE_IN_PROCEDURE):
        role = part.read(codes.DEVICE_ROLE_IN_PROCEDURE, ROLE, device.item)
        values = device.values(DEVICE)
        devices += [({ROLE.name: role} if role else {}) | values] if values else []
    return {"devices": devices} if devices else {}
