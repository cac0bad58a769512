"""What statistics are made from: one narrow row for each exam and quantity, one for each event with a dose, and the
names that both have, each once. Tables only.

The rows follow the registry in the transaction that changes it (`store/values.py`): phantoms, QA, service, what a
person left out and what counts in another study have none. Names are interned, so that a standard name is said of a few
thousand rows of names, never of a million exams: a change of a rule holds at once, and is undone at once.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    SmallInteger,
    String,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from treegarth.database.finite_double import FiniteDouble
from treegarth.database.metadata import metadata
from treegarth.database.phrase_column import PhraseColumn
from treegarth.documents.tables import document_tables

Key = String(collation="C")
Moment = DateTime(timezone=True)

standard_name = Table(
    "standard_name",
    metadata,
    Column("id", Integer, Identity(), primary_key=True),
    Column("modality", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("code_value", Text, comment="of RadLex, LOINC or whatever the scheme says (PS3.3 table 8.8-1)"),
    Column("coding_scheme_designator", Text),
    Column("code_meaning", Text),
    Column("version", Integer, nullable=False, server_default="1", comment="the latest: it acts"),
    Column("is_on", Boolean, nullable=False, server_default="true", comment="whether its rules give it"),
    Column("position", Integer, nullable=False, server_default="0", comment="of several that fit, the first is given"),
    Column("removed_at", Moment, comment="what was removed stays, for what it did refers to it"),
    Index("uq_standard_name", "modality", "name", unique=True, postgresql_where=text("removed_at IS NULL")),
)
"""What a site calls exams and protocols of a modality, whatever its scanners call them: documents, see `names/`. What
is off or was removed is the name of nothing."""

standard_name_version = Table(
    "standard_name_version",
    metadata,
    Column("standard_name_id", Integer, ForeignKey("standard_name.id", ondelete="CASCADE"), primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("document", JSONB, nullable=False, comment="name, modality, code and rules, as the text form has it"),
    Column("is_on", Boolean, nullable=False),
    Column("position", Integer, nullable=False),
    Column("change", Text, nullable=False, comment="created, edited, switched on, switched off, moved, removed"),
    Column("changed_by", Text),
    Column("changed_at", Moment, nullable=False),
    comment="every change of every standard name",
)

standard_name_import = Table(
    "standard_name_import",
    metadata,
    Column("id", Integer, Identity(), primary_key=True),
    Column("form", Text, nullable=False, comment="csv or yaml"),
    Column("imported_by", Text),
    Column("imported_at", Moment, nullable=False),
    Column("undone_by", Text),
    Column("undone_at", Moment),
)

standard_name_imported = Table(
    "standard_name_imported",
    metadata,
    Column("import_id", Integer, ForeignKey("standard_name_import.id", ondelete="CASCADE"), primary_key=True),
    Column("standard_name_id", Integer, ForeignKey("standard_name.id", ondelete="CASCADE"), primary_key=True),
    Column("version_before", Integer, comment="null: the import made it"),
    Column("version_after", Integer, nullable=False),
)
"""What each import changed: it is undone as a whole."""


def _standard_name_id() -> Column[int]:
    gone = ForeignKey("standard_name.id", ondelete="SET NULL")
    return Column("standard_name_id", Integer, gone, index=True, comment="null: no rule has one")


exam_name = Table(
    "exam_name",
    metadata,
    Column("id", Integer, Identity(), primary_key=True),
    Column("key", Key, nullable=False, comment="md5 of what follows"),
    Column("modality", Text, nullable=False, comment="(0008,0060) of the exam's images; OT where no series tells"),
    Column("study_description", Text),
    Column("requested_procedure_description", Text),
    Column("procedure_codes", ARRAY(Text), nullable=False, comment="code^meaning^scheme, as in HL7"),
    Column("protocols", ARRAY(Text), nullable=False, comment="acquisition protocols, each once, in their order"),
    _standard_name_id(),
    Index("ix_exam_name_key", "key", unique=True),
    Index("ix_exam_name_modality", "modality"),
)
"""What exams are called by their objects: each combination once."""

protocol_name = Table(
    "protocol_name",
    metadata,
    Column("id", Integer, Identity(), primary_key=True),
    Column("modality", Text, nullable=False),
    Column("name", Text, nullable=False, comment="an acquisition protocol, its first 500 characters"),
    _standard_name_id(),
    Index("ix_protocol_name", "modality", "name", unique=True),
)
"""What irradiation events are called: each acquisition protocol of a modality once."""

_OF_EXAM = (
    ("scope_id", Integer, False),
    ("device_key", Text, True),
    ("study_date", Date, True),
    ("patient_age_years", FiniteDouble(), True),
    ("patient_weight_kg", FiniteDouble(), True),
    ("patient_size_m", FiniteDouble(), True),
)
"""Name, type, whether it may be absent: by what values are grouped and filtered."""


def _of_exam() -> list[Column[object]]:
    return [Column(name, kind, nullable=is_absent) for name, kind, is_absent in _OF_EXAM]


_INCLUDED = [name for name, _, _ in _OF_EXAM]

exam_dose = Table(
    "exam_dose",
    metadata,
    Column("orthanc_study_id", Key, ForeignKey("dose_study.orthanc_study_id", ondelete="CASCADE"), primary_key=True),
    Column("quantity", Key, primary_key=True, comment="of quantities.py, derived.quantity, or irradiation_event_count"),
    Column("modality", Key, primary_key=True, comment="as of its name: a PET-CT has both"),
    Column("exam_name_id", Integer, ForeignKey("exam_name.id"), nullable=False),
    Column("value", FiniteDouble(), nullable=False, comment="best known, in the stored unit"),
    Column("is_doubted", Boolean, nullable=False),
    Column("study_hour", SmallInteger, comment="0 to 23"),
    Column("phantom", Key, comment="of a value that is by phantom: head, body, both or unknown; see wanted.py"),
    *_of_exam(),
    Index(
        "ix_exam_dose_name",
        "exam_name_id",
        "quantity",
        "orthanc_study_id",  # a digest: what begins a name's rows was chosen by chance (store/percentiles.py)
        postgresql_include=["value", "is_doubted", "phantom", "study_hour", *_INCLUDED],
    ),
    Index(
        "ix_exam_dose_quantity",
        "quantity",
        "modality",
        "study_date",
        postgresql_include=["value", "is_doubted", "phantom", "exam_name_id", "scope_id", "device_key", "study_hour"],
    ),
)

event_dose = Table(
    "event_dose",
    metadata,
    Column("orthanc_study_id", Key, ForeignKey("dose_study.orthanc_study_id", ondelete="CASCADE"), primary_key=True),
    Column("orthanc_instance_id", Key, primary_key=True, comment="the source that tells of the event"),
    Column("position", Integer, primary_key=True, autoincrement=False, comment="in the source, from 1"),
    Column("protocol_name_id", Integer, ForeignKey("protocol_name.id"), comment="null: the event names none"),
    Column("ctdiw_phantom_type", Text, comment="16 cm and 32 cm are never mixed"),
    Column("mean_ctdi_vol_mgy", FiniteDouble()),
    Column("dlp_mgy_cm", FiniteDouble()),
    Column("dose_area_product_gy_m2", FiniteDouble()),
    Column("dose_rp_gy", FiniteDouble()),
    Column("average_glandular_dose_mgy", FiniteDouble()),
    Column("doubted", ARRAY(Text), nullable=False, comment="of these columns, those whose quantity its exam doubts"),
    *_of_exam(),
    Index(
        "ix_event_dose_protocol",
        "protocol_name_id",
        "ctdiw_phantom_type",
        "orthanc_study_id",  # a digest, as above
        postgresql_include=[
            "mean_ctdi_vol_mgy",
            "dlp_mgy_cm",
            "dose_area_product_gy_m2",
            "dose_rp_gy",
            "average_glandular_dose_mgy",
            "doubted",
            *_INCLUDED,
        ],
    ),
)
"""Events that count, each once, that have a dose."""


def _counts(table: str, column: str, names: str) -> Table:
    return Table(
        table,
        metadata,
        Column("id", BigInteger, Identity(), primary_key=True),
        Column(column, Integer, ForeignKey(f"{names}.id", ondelete="CASCADE"), nullable=False),
        Column("scope_id", Integer, nullable=False),
        Column("count", BigInteger, nullable=False, comment="a part: the sum of a name's rows is its count"),
        Index(f"ix_{table}", column, postgresql_include=["scope_id", "count"]),
        comment="rows are added, and put together from time to time: nobody waits for another's",
    )


exam_name_count = _counts("exam_name_count", "exam_name_id", "exam_name")
protocol_name_count = _counts("protocol_name_count", "protocol_name_id", "protocol_name")
"""How many exams and how many events each name has, by scope. Triggers on `exam_dose` and `event_dose` add to them in
the same transaction, whatever changes these (migration 0053); `store/name_counts.py` reads them and puts them
together."""

derived_dose = Table(
    "derived_dose",
    metadata,
    Column("orthanc_study_id", Key, ForeignKey("dose_study.orthanc_study_id", ondelete="CASCADE"), primary_key=True),
    Column("quantity", Key, primary_key=True),
    Column("modality", Text, nullable=False),
    Column("value", FiniteDouble(), nullable=False, comment="in the stored unit"),
    Column("method", Text, nullable=False, comment="the formula and its source: see derived/"),
    Column("is_doubted", Boolean, nullable=False),
    Column("details", JSONB, nullable=False, comment="inputs, coefficients, ranges"),
)
"""What was worked out of doses, sizes and images; into statistics it comes by `store/values.py`."""

derived_missing = Table(
    "derived_missing",
    metadata,
    Column("orthanc_study_id", Key, ForeignKey("dose_study.orthanc_study_id", ondelete="CASCADE"), primary_key=True),
    Column("quantity", Key, primary_key=True),
    Column("reason", PhraseColumn, nullable=False, comment="which input is missing"),
)
"""Why an exam has none of a quantity that its kind could have."""

dose_coefficient, dose_coefficient_version = document_tables(
    metadata,
    "dose_coefficient",
    Column("coefficient_table", Text, nullable=False, comment="ct, radiopharmaceutical or half_life"),
    Column("of", Text, nullable=False, comment="region, code of the radiopharmaceutical, or radionuclide"),
    Column("age_group", Text, comment="0, 1, 5, 10, 15 or adult; null of a half-life"),
    Column("phantom", Text, comment="head or body, of ct alone"),
    Column("value", FiniteDouble(), nullable=False, comment="mSv/(mGy cm), mSv/MBq or s"),
    Column("source", Text, nullable=False, comment="the publication, with table and page"),
)
