"""Radiation dose: readers of every source, the registry of what was read, and what the rest of the house asks of it.

This is the feature's front door: other parts import from here and from `reading_json`, never from deeper inside.
"""

from treegarth.features.dose.candidates import is_candidate, is_sampled
from treegarth.features.dose.model import DoseReading, Issue, json_object, report_json, to_json
from treegarth.features.dose.reading import read_dose, read_dose_bytes, read_dose_stream
from treegarth.features.dose.reading_json import read_command
from treegarth.features.dose.service import (
    choose_samples,
    follow_deleted,
    follow_indexed,
    read_waiting,
    reread,
    resume_reread,
)
from treegarth.features.dose.store.equipment import Device, list_equipment
from treegarth.features.dose.store.filtering import DoseStudyFilter
from treegarth.features.dose.store.missing import (
    MonthOfDevice,
    StudyWithoutDose,
    WithoutDosePage,
    count_missing_by_month,
    list_without_dose,
)
from treegarth.features.dose.store.modalities import note_modalities
from treegarth.features.dose.store.not_patients import (
    NotPatientPatterns,
    NotPatientRule,
    add_not_patient_rule,
    count_not_patients,
    list_not_patient_rules,
    remove_not_patient_rule,
)
from treegarth.features.dose.store.queueing import (
    FailedSource,
    SourceCounts,
    count_sources,
    count_waiting,
    list_failed,
    retry_failed,
)
from treegarth.features.dose.store.redeciding import RedecidingProgress, redeciding_progress, start_redeciding
from treegarth.features.dose.store.reports import DoseReport, reports_of_study
from treegarth.features.dose.store.rereading import RereadProgress, reread_progress, start_reread
from treegarth.features.dose.store.sampling import REST
from treegarth.features.dose.store.studies import (
    DoseStudy,
    DoseStudyPage,
    DoseStudySort,
    count_studies_with_dose,
    list_studies_with_dose,
)
from treegarth.features.dose.store.timeline import Cumulative, Timeline, cumulate, patient_timeline
from treegarth.features.dose.store.trouble import TroubledSource, TroublePage, count_reasons, list_trouble
from treegarth.features.dose.tasks import READ_WAITING, SAMPLE_SERIES, blueprint

__all__ = [
    "READ_WAITING",
    "REST",
    "SAMPLE_SERIES",
    "Cumulative",
    "Device",
    "DoseReading",
    "DoseReport",
    "DoseStudy",
    "DoseStudyFilter",
    "DoseStudyPage",
    "DoseStudySort",
    "FailedSource",
    "Issue",
    "MonthOfDevice",
    "NotPatientPatterns",
    "NotPatientRule",
    "RedecidingProgress",
    "RereadProgress",
    "SourceCounts",
    "StudyWithoutDose",
    "Timeline",
    "TroublePage",
    "TroubledSource",
    "WithoutDosePage",
    "add_not_patient_rule",
    "blueprint",
    "choose_samples",
    "count_missing_by_month",
    "count_not_patients",
    "count_reasons",
    "count_sources",
    "count_studies_with_dose",
    "count_waiting",
    "cumulate",
    "follow_deleted",
    "follow_indexed",
    "is_candidate",
    "is_sampled",
    "json_object",
    "list_equipment",
    "list_failed",
    "list_not_patient_rules",
    "list_studies_with_dose",
    "list_trouble",
    "list_without_dose",
    "note_modalities",
    "patient_timeline",
    "read_command",
    "read_dose",
    "read_dose_bytes",
    "read_dose_stream",
    "read_waiting",
    "redeciding_progress",
    "remove_not_patient_rule",
    "report_json",
    "reports_of_study",
    "reread",
    "reread_progress",
    "resume_reread",
    "retry_failed",
    "start_redeciding",
    "start_reread",
    "to_json",
]
