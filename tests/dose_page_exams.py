"""Whole examinations for the page of an exam: every kind, with what a physicist wants to see of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from pydicom import Dataset

from tests.dose_builder import (
    code,
    coded,
    container,
    ct_acquisition,
    ct_dose_report,
    ct_source,
    num,
    report,
    text,
    uidref,
)
from tests.dose_image_builder import MG_FOR_PRESENTATION, NM, PET, image
from treegarth.dicom.codes import concept_of
from treegarth.dicom.sr_tree import Code

BEGAN = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
NAMES = ("ct", "biplane", "mammogram", "pet_ct", "nm", "mammogram_images")
STUDIES = {name: f"1.2.840.99999.7.{number}" for number, name in enumerate(NAMES, start=1)}
EVENTS_OF_BIPLANE = 316
LEFT, RIGHT = code("80248007", "SCT", "Left breast"), code("73056007", "SCT", "Right breast")
VIEWS = {"CC": code("399162004", "SCT", "cranio-caudal"), "MLO": code("399368009", "SCT", "medio-lateral oblique")}
MAGNIFICATION = code("399163009", "SCT", "Magnification")

EXPOSURES = [(side, view, sort) for side in ("L", "R") for view in ("CC", "MLO") for sort in ("2D", "Tomo")]


def whole_exam(name: str) -> list[Dataset]:
    """The objects of the examination of this name in STUDIES."""
    if name == "mammogram_images":
        return mammogram_images(STUDIES[name])
    return {
        "ct": ct_exam,
        "biplane": biplane_exam,
        "mammogram": mammogram_exam,
        "pet_ct": pet_ct_exam,
        "nm": nm_exam,
    }[name]()


def ct_exam() -> list[Dataset]:
    """A localizer, a dual-source spiral with SSDE and a dose check that was passed over; the total is not the sum. Sent
    twice: a second report has the same events."""
    localizer = ct_acquisition("1.2.7.1.1", mean_ctdi_vol_mgy="0.13", dlp_mgy_cm="6.4", protocol="Topogram")
    size_specific = num("113930", "10.9", "mGy", coded(code("370129005", "SCT"), code("113987", "DCM", "AAPM 220")),
                        num("113980", "285", "mm"))  # fmt: skip
    check = container(
        "113900", coded("113901", code("373066001", "SCT", "Yes")), num("113903", "1000", "mGy.cm"),
        coded("113902", code("373067005", "SCT", "No")), num("113905", "1210", "mGy.cm"),
        text("113907", "Trauma, whole body asked for"),
    )  # fmt: skip
    notified = container("113908", coded("113910", code("373066001", "SCT", "Yes")), num("113912", "25", "mGy"),
                         num("113914", "8.4", "mGy"))  # fmt: skip
    spiral = ct_acquisition(
        "1.2.7.1.2", mean_ctdi_vol_mgy="8.237", dlp_mgy_cm="312.4", protocol="DE Thorax",
        sources=[ct_source("140", "180"), ct_source("80", "390")], dose_extra=[size_specific, check, notified],
    )  # fmt: skip
    head = ct_acquisition("1.2.7.1.3", mean_ctdi_vol_mgy="41.2", dlp_mgy_cm="690.5", protocol="머리 나선")
    head.ContentSequence[4].ContentSequence[1].ConceptCodeSequence = [code("113690")]
    made = []
    for number, (hour, total) in enumerate((("093500", "1040.2"), ("094500", "1040.2")), start=1):
        one = ct_dose_report(localizer, spiral, head, dlp_total=total)
        made.append(_in_study(one, "ct", f"1.2.7.1.90.{number}", "CT", hour))
    return made


def biplane_exam(events: int = EVENTS_OF_BIPLANE) -> list[Dataset]:
    """Fluoroscopy and acquisitions of two planes in turn, with their geometry, filters and fields."""
    planes = (code("113620", "DCM", "Plane A"), code("113621", "DCM", "Plane B"))
    totals = [
        container("113702", coded("113764", plane), num("113722", dap, "Gy.m2"), num("113725", rp, "Gy"),
                  num("113730", "612", "s"))
        for plane, dap, rp in zip(planes, ("0.0062", "0.0041"), ("0.81", "0.52"), strict=True)
    ]  # fmt: skip
    given = [_event(number, planes[number % 2]) for number in range(events)]
    made = report(*totals, *given, title="113701")
    return [_in_study(made, "biplane", "1.2.7.2.90", "XA", "113000")]


def _event(number: int, plane: Dataset) -> Dataset:
    is_fluoroscopy = number % 5 != 0
    sort = code("44491008", "SCT", "Fluoroscopy") if is_fluoroscopy else code("113611", "DCM", "Stationary Acquisition")
    copper = container("113771", coded("113757", code("66925006", "SCT", "Copper")), num("113758", "0.1", "mm"),
                       num("113773", "0.3", "mm"))  # fmt: skip
    return container(
        "113706", coded("113764", plane), uidref("113769", f"1.2.7.2.1.{number + 1}"),
        _moment("111526", number), coded("113721", sort), text("125203", "Coro" if is_fluoroscopy else "LV 15 fps"),
        num("122130", f"{0.00001 + number % 17 * 0.000003:.7f}", "Gy.m2"),
        num("113738", f"{0.001 + number % 13 * 0.0004:.5f}", "Gy"), copper,
        num("112011", str(-45 + number % 90), "deg"), num("112012", str(number % 40 - 20), "deg"),
        num("113750", "1090", "mm"),
        num("113790", "0.021", "m2"), num("113788", "145", "mm"), num("113789", "145", "mm"),
        num("113733", str(70 + number % 25), "kV"), num("113734", "412.5", "mA"), num("113742", "6.2", "s"),
    )  # fmt: skip


def mammogram_exam() -> list[Dataset]:
    """Four views in two dimensions and as tomosynthesis, one magnified: a report of 9 exposures and 8 images."""
    events = [
        _breast(number, side, view, "1.42" if sort == "2D" else "1.87", sort)
        for number, (side, view, sort) in enumerate(EXPOSURES, start=1)
    ]
    events.append(_breast(9, "L", "CC", "2.31", "2D", is_magnified=True))
    totals = container(
        "113702",
        *(num("111637", total, "mGy", coded(code("272741003", "SCT"), side))
          for side, total in ((LEFT, "8.89"), (RIGHT, "6.70"))),
    )  # fmt: skip
    procedure = coded("121058", code("71651007", "SCT", "Mammography"))
    made = _in_study(report(procedure, totals, *events), "mammogram", "1.2.7.3.90", "MG", "101500")
    return [made, *mammogram_images(STUDIES["mammogram"])]


def mammogram_images(study_uid: str) -> list[Dataset]:
    """Eight images of the same exposures."""
    return [_image(study_uid, number, *exposure) for number, exposure in enumerate(EXPOSURES, start=1)]


def _breast(number: int, side: str, view: str, agd: str, sort: str, *, is_magnified: bool = False) -> Dataset:
    anatomy = coded("123014", code("76752008", "SCT", "Breast"), coded(code("272741003", "SCT"), _laterality(side)))
    modified = [coded("111032", MAGNIFICATION)] if is_magnified else []
    rhodium = container("113771", coded("113757", code("59801003", "SCT", "Rhodium or Rhodium compound")))
    return container(
        "113706", uidref("113769", f"1.2.7.3.1.{number}"), _moment("111526", number * 4), anatomy,
        text("125203", sort), coded("111031", VIEWS[view], *modified), num("111631", agd, "mGy"),
        num("111636", "4.9", "mGy"), num("113733", "29", "kV"), num("113736", "58000", "uA.s"), rhodium,
        coded("111632", code("26194003", "SCT", "Tungsten or Tungsten compound")), num("111633", "54", "mm"),
        num("111647", "98.5", "N"),
    )  # fmt: skip


def _image(study_uid: str, number: int, side: str, view: str, sort: str) -> Dataset:
    began = BEGAN + timedelta(seconds=number * 28)
    event = number if study_uid == STUDIES["mammogram"] else 100 + number
    made = image(
        MG_FOR_PRESENTATION, f"{study_uid}.8.{number}", study_uid, OrganDose="0.0142" if sort == "2D" else "0.0187",
        EntranceDoseInmGy="4.9", KVP="29", BodyPartThickness="54", CompressionForce="98.5",
        AnodeTargetMaterial="TUNGSTEN",
        FilterMaterial="RHODIUM", ImageLaterality=side, ViewPosition=view, Modality="MG", ExposureInuAs="58000",
        AcquisitionDateTime=f"{began:%Y%m%d%H%M%S}", IrradiationEventUID=f"1.2.7.3.1.{event}",
        PatientName="Hong^Gildong=洪^吉童=홍^길동", StudyTime="093000", StationName="MG1",
    )  # fmt: skip
    made.StudyDate, made.ContentDate, made.ContentTime = "20261120", f"{began:%Y%m%d}", f"{began:%H%M%S}"
    made.SpecificCharacterSet = "ISO_IR 192"
    made.StudyDescription = "유방촬영 양측"
    made.Rows, made.Columns, made.BitsAllocated, made.BitsStored, made.HighBit = 40, 50, 16, 12, 11
    made.SamplesPerPixel, made.PhotometricInterpretation, made.PixelRepresentation = 1, "MONOCHROME2", 0
    return made


def pet_ct_exam() -> list[Dataset]:
    """The report of the administration with organ doses, the header of a PET image, and the report of the CT."""
    organs = [
        container("113517", coded(code("363698007", "SCT"), code(value, "SCT", name)),
                  num("113518", dose, "mGy"))
        for value, name, dose in (("89837001", "Urinary bladder", "51.2"), ("80891009", "Heart", "26.4"),
                                  ("12738006", "Brain", "15.0"))
    ]  # fmt: skip
    agent = coded(code("349358000", "SCT"), code("35321007", "SCT", "Fluorodeoxyglucose F^18^"),
                  coded(code("89457008", "SCT"), code("77004003", "SCT", "^18^Fluorine")),
                  num(code("304283002", "SCT"), "6588", "s"))  # fmt: skip
    effective = num("113839", "7.486", "mSv", text("121406", "ICRP Publication 128"))
    given = container("113502", agent, uidref("113503", "1.2.7.4.1.1"), _moment("123003", 0),
                      num("113507", "394", "MBq"), effective, *organs)  # fmt: skip
    administered = _in_study(report(given, title="113500"), "pet_ct", "1.2.7.4.90", "PT", "104030")
    ct = ct_dose_report(ct_acquisition("1.2.7.4.1.2", mean_ctdi_vol_mgy="3.1", dlp_mgy_cm="284.7"), dlp_total="284.7")
    return [
        administered,
        _in_study(ct, "pet_ct", "1.2.7.4.91", "CT", "105500"),
        _administered(PET, "pet_ct", "394000000"),
    ]


def nm_exam() -> list[Dataset]:
    """An image alone tells of the administration."""
    return [_administered(NM, "nm", "740")]


def _administered(sop_class_uid: str, name: str, dose: str) -> Dataset:
    item = Dataset()
    item.RadionuclideTotalDose, item.RadiopharmaceuticalStartTime = dose, "093000"
    item.Radiopharmaceutical = "FDG" if name == "pet_ct" else "MDP"
    item.RadionuclideCodeSequence = [
        code("77004003", "SCT", "^18^Fluorine") if name == "pet_ct" else code("72454002", "SCT", "^99m^Technetium")
    ]
    made = image(sop_class_uid, f"{STUDIES[name]}.8.1", STUDIES[name], RadiopharmaceuticalInformationSequence=[item],
                 Modality="PT" if name == "pet_ct" else "NM", AcquisitionDate="20261120", AcquisitionTime="103000",
                 PatientName="A^B", StudyTime="093000")  # fmt: skip
    made.StudyDate, made.ContentDate, made.ContentTime = "20261120", "20261120", "103000"
    return made


def _in_study(made: Dataset, name: str, uid: str, modality: str, made_at: str) -> Dataset:
    made.SOPInstanceUID, made.StudyInstanceUID = uid, STUDIES[name]
    made.SeriesInstanceUID, made.StudyDate, made.StudyTime = f"{STUDIES[name]}.9", "20261120", "093000"
    made.ContentDate, made.ContentTime = "20261120", made_at
    made.SeriesDescription, made.StationName, made.StudyDescription = "Dose report", f"{modality}1", f"{modality} exam"
    made.PatientName = "Hong^Gildong=洪^吉童=홍^길동"
    _name_concepts(made)
    return made


def _name_concepts(item: Dataset) -> None:
    """Give each code of a content tree the meaning that the standard has for it."""
    for coding in (*item.get("ConceptNameCodeSequence", ()), *item.get("ConceptCodeSequence", ())):
        concept = concept_of(Code(coding.CodeValue, coding.CodingSchemeDesignator, ""))
        if concept is not None and coding.CodeMeaning == coding.CodeValue:
            coding.CodeMeaning = concept.meaning
    for below in item.get("ContentSequence", ()):
        _name_concepts(below)


def _moment(concept: str, number: int) -> Dataset:
    item = text(concept, "")
    del item.TextValue
    item.ValueType, item.DateTime = "DATETIME", f"{BEGAN + timedelta(seconds=number * 7):%Y%m%d%H%M%S}"
    return item


def _laterality(side: str) -> Dataset:
    return code("7771000", "SCT", "Left") if side == "L" else code("24028007", "SCT", "Right")
