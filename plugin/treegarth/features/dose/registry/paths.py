"""What stands in an address for what the registry keeps."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from treegarth.web.routes import AnyText, Identifier, Parameters


class NotPatientRulePath(Parameters):
    not_patient_rule_id: Identifier
    """The rule's number."""


class DoseActPath(Parameters):
    dose_act_id: Identifier
    """The decision's number."""


class SizeImportPath(Parameters):
    size_import_id: Identifier
    """The file's number."""


class DevicePath(Parameters):
    device_key: Annotated[AnyText, Field(max_length=16)]
    """The device's fingerprint, as the list of equipment has it."""


class DoseLimitPath(Parameters):
    dose_limit_id: Identifier
    """The limit's number."""
