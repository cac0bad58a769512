"""What conditions can speak of in the archive's index: its columns, and any other attribute of a series' header."""

from __future__ import annotations

from decimal import Decimal
from functools import cache
from typing import Any

from pydicom.datadict import dictionary_VR, keyword_dict, tag_for_keyword
from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Date,
    Double,
    Integer,
    Numeric,
    Text,
    Time,
    case,
    cast,
    exists,
    func,
    literal,
    select,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, JSONPATH, array

from treegarth.conditions.model import Field, Kind, Level
from treegarth.conditions.vocabulary import LevelTable, Term
from treegarth.index.tables import arrival, instance, series, study
from treegarth.phrases import N_

LEVELS = {
    Level.STUDY: LevelTable(table=study, key=study.c.orthanc_study_id),
    Level.SERIES: LevelTable(table=series, key=series.c.orthanc_series_id, parent=series.c.orthanc_study_id),
    Level.INSTANCE: LevelTable(table=instance, key=instance.c.orthanc_instance_id, parent=instance.c.orthanc_series_id),
}
"""The tables of the levels."""

_STUDY_COLUMNS = {
    "StudyInstanceUID": (study.c.study_instance_uid, Kind.TEXT),
    "PatientID": (study.c.patient_id, Kind.TEXT),
    "PatientName": (study.c.patient_name, Kind.TEXT),
    "PatientBirthDate": (study.c.patient_birth_date, Kind.DATE),
    "PatientSex": (study.c.patient_sex, Kind.TEXT),
    "StudyDate": (study.c.study_date, Kind.DATE),
    "StudyTime": (study.c.study_time, Kind.TIME),
    "StudyID": (study.c.study_id, Kind.TEXT),
    "StudyDescription": (study.c.study_description, Kind.TEXT),
    "AccessionNumber": (study.c.accession_number, Kind.TEXT),
    "ReferringPhysicianName": (study.c.referring_physician_name, Kind.TEXT),
}
_SERIES_COLUMNS = {
    "SeriesInstanceUID": (series.c.series_instance_uid, Kind.TEXT),
    "SeriesNumber": (series.c.series_number, Kind.NUMBER),
    "SeriesDescription": (series.c.series_description, Kind.TEXT),
    "SeriesDate": (series.c.series_date, Kind.DATE),
    "SeriesTime": (series.c.series_time, Kind.TIME),
    "BodyPartExamined": (series.c.body_part_examined, Kind.TEXT),
    "ProtocolName": (series.c.protocol_name, Kind.TEXT),
    "Manufacturer": (series.c.manufacturer, Kind.TEXT),
    "ManufacturerModelName": (series.c.manufacturer_model_name, Kind.TEXT),
    "StationName": (series.c.station_name, Kind.TEXT),
    "DeviceSerialNumber": (series.c.device_serial_number, Kind.TEXT),
    "InstitutionName": (series.c.institution_name, Kind.TEXT),
}
_INSTANCE_COLUMNS = {
    "SOPInstanceUID": (instance.c.sop_instance_uid, Kind.TEXT),
    "SOPClassUID": (instance.c.sop_class_uid, Kind.TEXT),
    "TransferSyntaxUID": (instance.c.transfer_syntax_uid, Kind.TEXT),
    "InstanceNumber": (instance.c.instance_number, Kind.NUMBER),
    "NumberOfFrames": (instance.c.number_of_frames, Kind.NUMBER),
    "Rows": (instance.c.rows, Kind.NUMBER),
    "Columns": (instance.c.columns, Kind.NUMBER),
    "AcquisitionDate": (instance.c.acquisition_date, Kind.DATE),
    "AcquisitionTime": (instance.c.acquisition_time, Kind.TIME),
}
_ORIGINS = {2: "dicom", 3: "rest", 4: "plugin", 5: "lua", 6: "webdav"}


def condition_terms() -> list[Term]:
    """The terms of the index."""
    return [
        *_columns(Level.STUDY, _STUDY_COLUMNS),
        _many("ModalitiesInStudy", Level.STUDY, study.c.modalities),
        *_received(),
        Term(
            field=Field(name="Modality", level=Level.SERIES, kind=Kind.TEXT),
            expression=series.c.modality,
            at_study=study.c.modalities,
        ),
        *_columns(Level.SERIES, _SERIES_COLUMNS),
        *_series_counts(),
        *_origins(),
        *_columns(Level.INSTANCE, _INSTANCE_COLUMNS),
        _many("ImageType", Level.INSTANCE, instance.c.image_type),
    ]


def _columns(level: Level, columns: dict[str, tuple[Column[Any], Kind]]) -> list[Term]:
    return [
        Term(field=Field(name=name, level=level, kind=kind), expression=column)
        for name, (column, kind) in columns.items()
    ]


def _many(name: str, level: Level, column: Column[Any]) -> Term:
    return Term(field=Field(name=name, level=level, kind=Kind.TEXT, many=True), expression=column)


def _received() -> list[Term]:
    arriving = exists().where(arrival.c.orthanc_study_id == study.c.orthanc_study_id).correlate(study)
    own = (
        ("received_at", Kind.MOMENT, study.c.last_received_at, N_("When its last object was stored"), ""),
        ("first_received_at", Kind.MOMENT, study.c.first_received_at, N_("When its first object was stored"), ""),
        ("is_arriving", Kind.TRUTH, arriving, N_("Objects arrived so lately that more may follow"), ""),
        ("series_count", Kind.NUMBER, study.c.series_count, N_("How many series it has"), ""),
        ("instance_count", Kind.NUMBER, study.c.instance_count, N_("How many objects it has"), ""),
        (
            "pruned_instance_count",
            Kind.NUMBER,
            study.c.pruned_instance_count,
            N_("How many objects of it were pruned"),
            "",
        ),
        ("size_bytes", Kind.NUMBER, study.c.size_bytes, N_("How large its objects are together"), "bytes"),
    )
    return [
        Term(field=Field(name=name, level=Level.STUDY, kind=kind, meaning=meaning, unit=unit), expression=expression)
        for name, kind, expression, meaning, unit in own
    ]


def _series_counts() -> list[Term]:
    number = instance.c.instance_number
    span = cast(func.max(number), BigInteger) - func.min(number)  # from -2³¹ to 2³¹ - 1 is no integer any more
    gaps = (
        select(span + 1 - func.count(number.distinct()))
        .where(instance.c.orthanc_series_id == series.c.orthanc_series_id)
        .correlate(series)
        .scalar_subquery()
    )
    own = (
        ("series_instance_count", series.c.instance_count, N_("How many objects the series has"), ""),
        ("series_size_bytes", series.c.size_bytes, N_("How large the series' objects are together"), "bytes"),
        (
            "completeness.missing_instance_numbers",
            gaps,
            N_("How many instance numbers between its least and its greatest the series has not"),
            "",
        ),
    )
    return [
        Term(
            field=Field(name=name, level=Level.SERIES, kind=Kind.NUMBER, meaning=meaning, unit=unit),
            expression=expression,
        )
        for name, expression, meaning, unit in own
    ]


def _origins() -> list[Term]:
    """Who sent the object of the series that was indexed last."""
    kind = case(_ORIGINS, value=series.c.origin)
    own = (
        ("origin.calling_ae_title", series.c.remote_ae_title, N_("The AE title that sent it"), ()),
        ("origin.called_ae_title", series.c.called_ae_title, N_("The AE title that it was sent to"), ()),
        ("origin.ip", series.c.remote_ip, N_("The network address that it came from"), ()),
        ("origin.user", series.c.http_user, N_("The user who uploaded it"), ()),
        ("origin.protocol", kind, N_("How it came"), tuple(_ORIGINS.values())),
    )
    return [
        Term(
            field=Field(name=name, level=Level.SERIES, kind=Kind.TEXT, meaning=meaning, choices=choices),
            expression=expression,
        )
        for name, expression, meaning, choices in own
    ]


LARGEST_NUMBER = Decimal("1.7e308")
"""JSON knows larger ones, such as an IS of 400 digits; to make a double of one would be an error of the whole query."""
_VRS = {
    **dict.fromkeys(("AE", "AS", "CS", "DT", "LO", "LT", "PN", "SH", "ST", "UC", "UI", "UR", "UT"), Kind.TEXT),
    **dict.fromkeys(("DS", "IS", "FL", "FD", "SL", "SS", "SV", "UL", "US", "UV"), Kind.NUMBER),
    "DA": Kind.DATE,
    "TM": Kind.TIME,
}
# PS3.5 6.2. Only what is a day or a time of the day counts as one: dates of the calendar, leap years included.
_MONTH_AND_DAY = r"(((0[13578]|1[02])(0[1-9]|[12]\d|3[01]))|((0[469]|11)(0[1-9]|[12]\d|30))|(02(0[1-9]|1\d|2[0-8])))"
_LEAP_DAY = r"((\d\d(0[48]|[2468][048]|[13579][26]))|(([02468][048]|[13579][26])00))0229"
_DAY = rf"^(?!0000)((\d{{4}}{_MONTH_AND_DAY})|({_LEAP_DAY}))$"
_CLOCK = r"^([01]\d|2[0-3])([0-5]\d([0-5]\d(\.\d{1,6})?)?)?$"


@cache
def header_term(keyword: str) -> Term | None:
    """An attribute that has no column, from the header of one object of each series; None where there is no such."""
    tag = tag_for_keyword(keyword)
    kind = _VRS.get(dictionary_VR(tag)) if tag is not None else None
    if tag is None or kind is None:
        return None
    path = cast(literal(f'$."{tag:08X}"."Value"[*]', Text()), JSONPATH)
    value = func.jsonb_path_query(series.c.header, path, type_=JSONB).column_valued("header_value")
    return Term(
        field=Field(name=keyword, level=Level.SERIES, kind=kind, many=True),
        expression=_element(value, kind),
        rows=value.scalar_alias,
    )


def header_keywords() -> list[str]:
    """The keywords that `header_term` knows."""
    return [keyword for keyword, tag in keyword_dict.items() if keyword and dictionary_VR(tag) in _VRS]


def _element(value: ColumnElement[Any], kind: Kind) -> ColumnElement[Any]:
    """A value of DICOM JSON (PS3.18 F.2) as one of this kind; NULL where it is none."""
    shape, content = func.jsonb_typeof(value), value.op("#>>", return_type=Text())(cast(array([]), ARRAY(Text)))
    if kind is Kind.NUMBER:
        fits = func.abs(cast(value, Numeric)) < LARGEST_NUMBER
        return case((shape == "number", case((fits, cast(content, Double)))))
    if kind is Kind.DATE:
        return case((content.op("~")(_DAY), func.to_date(content, "YYYYMMDD", type_=Date)))
    if kind is Kind.TIME:
        parts = [func.coalesce(func.nullif(func.substr(content, at, 2), ""), "0") for at in (1, 3)]
        seconds = func.coalesce(func.nullif(func.substr(content, 5), ""), "0")
        clock = func.make_time(cast(parts[0], Integer), cast(parts[1], Integer), cast(seconds, Double), type_=Time)
        return case((content.op("~")(_CLOCK), clock))
    groups = [
        func.coalesce(value.op("->>", return_type=Text())(group), "")
        for group in ("Alphabetic", "Ideographic", "Phonetic")
    ]
    name = func.rtrim(func.concat_ws("=", *groups), "=")  # a PN as DICOM writes it (PS3.5 6.2.1)
    return case((shape == "string", content), (shape == "object", func.nullif(name, "")))
