"""Builders of small images whose headers tell of dose: pydicom data sets without meaningful pixels."""

from __future__ import annotations

from pydicom import Dataset

from tests.dose_builder import code

CT, PET, NM = "1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.5.1.4.1.1.128", "1.2.840.10008.5.1.4.1.1.20"
MG_FOR_PRESENTATION, MG_FOR_PROCESSING = "1.2.840.10008.5.1.4.1.1.1.2", "1.2.840.10008.5.1.4.1.1.1.2.1"
DX_FOR_PRESENTATION, DX_FOR_PROCESSING = "1.2.840.10008.5.1.4.1.1.1.1", "1.2.840.10008.5.1.4.1.1.1.1.1"
SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"


def image(sop_class_uid: str, sop_instance_uid: str, study_instance_uid: str = "1.2.3", **header: object) -> Dataset:
    dataset = Dataset()
    dataset.SOPClassUID, dataset.SOPInstanceUID = sop_class_uid, sop_instance_uid
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = study_instance_uid, f"{study_instance_uid}.8"
    dataset.Manufacturer, dataset.PatientID, dataset.StudyDate = "Treebeard", "4711", "20240229"
    for keyword, value in header.items():
        setattr(dataset, keyword, value)
    dataset.PixelData = b"\0" * 4000
    dataset["PixelData"].VR = "OW"
    return dataset


def projection_image(
    sop_class_uid: str, sop_instance_uid: str, *, began: str = "20240229101500", **header: object
) -> Dataset:
    """An exposure of 80 kV and 2.5 dGy·cm²."""
    given = {"KVP": "80", "ImageAndFluoroscopyAreaDoseProduct": "2.5", "AcquisitionDateTime": began}
    return image(sop_class_uid, sop_instance_uid, **(given | header))


def ct_image(sop_instance_uid: str, *, acquisition: int = 2, ctdi_vol: float = 8.5, **header: object) -> Dataset:
    given = {"KVP": "120", "CTDIvol": ctdi_vol, "AcquisitionNumber": str(acquisition)}
    return image(CT, sop_instance_uid, **(given | header))


def nuclear_image(
    sop_class_uid: str, sop_instance_uid: str, *, start: str = "104830", dose: str = "394000000"
) -> Dataset:
    """After an administration of F-18; the dose in the unit of the class (Bq in PET, MBq in NM)."""
    item = Dataset()
    item.RadionuclideTotalDose, item.RadiopharmaceuticalStartTime = dose, start
    item.RadionuclideCodeSequence = [code("77004003", "SCT", "^18^Fluorine")]
    return image(sop_class_uid, sop_instance_uid, RadiopharmaceuticalInformationSequence=[item])


XA, RF = "1.2.840.10008.5.1.4.1.1.12.1", "1.2.840.10008.5.1.4.1.1.12.2"
ENHANCED_XA, ENHANCED_XRF = "1.2.840.10008.5.1.4.1.1.12.1.1", "1.2.840.10008.5.1.4.1.1.12.2.1"
ENHANCED_CT, LEGACY_CONVERTED_CT = "1.2.840.10008.5.1.4.1.1.2.1", "1.2.840.10008.5.1.4.1.1.2.2"
ENHANCED_PET, LEGACY_CONVERTED_PET = "1.2.840.10008.5.1.4.1.1.130", "1.2.840.10008.5.1.4.1.1.128.1"
BREAST_TOMOSYNTHESIS, BREAST_PROJECTION = "1.2.840.10008.5.1.4.1.1.13.1.3", "1.2.840.10008.5.1.4.1.1.13.1.4"
X_RAY_3D_ANGIOGRAPHIC = "1.2.840.10008.5.1.4.1.1.13.1.1"
CONE_BEAM = "1.2.840.10008.5.1.4.1.1.13.1.2"


def item(**elements: object) -> Dataset:
    """An item of a sequence."""
    found = Dataset()
    for keyword, value in elements.items():
        setattr(found, keyword, value)
    return found


def groups(**macros: dict[str, object] | list[dict[str, object]]) -> Dataset:
    """The functional groups of a frame: each macro's sequence with an item, or with one for each X-ray path."""
    return item(**{
        keyword: [item(**one) for one in (given if isinstance(given, list) else [given])]
        for keyword, given in macros.items()
    })  # fmt: skip


def enhanced_image(
    sop_class_uid: str, sop_instance_uid: str, *frames: Dataset, shared: Dataset | None = None, **header: object
) -> Dataset:
    """A multi-frame object with these functional groups."""
    return image(
        sop_class_uid,
        sop_instance_uid,
        SharedFunctionalGroupsSequence=[] if shared is None else [shared],
        PerFrameFunctionalGroupsSequence=list(frames),
        NumberOfFrames=str(max(1, len(frames))),
        **header,
    )


def ct_frame(ctdi_vol: float, *, event: str | None = None, acquisition: int | None = None, **macros: object) -> Dataset:
    """A frame of an Enhanced CT object with its own CTDIvol."""
    told: dict[str, object] = {"CTExposureSequence": {"CTDIvol": ctdi_vol}}
    if event is not None:
        told["IrradiationEventIdentificationSequence"] = {"IrradiationEventUID": event}
    if acquisition is not None:
        told["FrameContentSequence"] = {"FrameAcquisitionNumber": acquisition}
    return groups(**(told | macros))  # type: ignore[arg-type]
