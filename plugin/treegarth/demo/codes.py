"""The codes that the made-up objects carry, each as PS3.16 has it. Pure.

Anatomy, procedures and agents are SNOMED CT (SCT), the DICOM controlled terminology is DCM (PS3.16 Annex D),
units are UCUM.
"""

from __future__ import annotations

from dataclasses import dataclass

from pydicom.dataset import Dataset


@dataclass(frozen=True, kw_only=True)
class Code:
    """A coded concept (PS3.3 Table 8.8-1)."""

    value: str
    scheme: str
    meaning: str

    def item(self) -> Dataset:
        """The code as an item of a code sequence; a new one at each call, for items may not be shared."""
        dataset = Dataset()
        dataset.CodeValue = self.value
        dataset.CodingSchemeDesignator = self.scheme
        dataset.CodeMeaning = self.meaning
        return dataset


def dcm(value: str, meaning: str) -> Code:
    return Code(value=value, scheme="DCM", meaning=meaning)


def sct(value: str, meaning: str) -> Code:
    return Code(value=value, scheme="SCT", meaning=meaning)


def ucum(value: str, meaning: str | None = None) -> Code:
    return Code(value=value, scheme="UCUM", meaning=meaning or value)


# Regions of the body, CID 4030 and CID 4031
HEAD = sct("69536005", "Head")
CHEST = sct("51185008", "Chest")
ABDOMEN = sct("818981001", "Abdomen")
HEART = sct("80891009", "Heart")
BREAST = sct("76752008", "Breast")
KNEE = sct("72696002", "Knee")
WHOLE_BODY = sct("38266002", "Entire body")

# CID 10013, CT Acquisition Type
SEQUENCED = dcm("113804", "Sequenced Acquisition")
SPIRAL = sct("116152004", "Spiral Acquisition")
CONSTANT_ANGLE = dcm("113805", "Constant Angle Acquisition")
STATIONARY = dcm("113806", "Stationary Acquisition")

# CID 4052, Phantom Devices
HEAD_PHANTOM = dcm("113690", "IEC Head Dosimetry Phantom")
BODY_PHANTOM = dcm("113691", "IEC Body Dosimetry Phantom")

# CID 3629, Procedure Intent; CID 10000, Scope of Accumulation; CID 10021, Source of Radiation Dose Information
DIAGNOSTIC_INTENT = sct("261004008", "Diagnostic Intent")
STUDY_SCOPE = dcm("113014", "Study")
AUTOMATED = dcm("113856", "Automated Data Collection")
YES = sct("373066001", "Yes")
