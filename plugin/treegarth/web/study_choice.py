"""Which study a form means, as a person says it: by name, patient ID, accession number or UID.

One input for every such form: `study_box` of `forms.html` draws it. What is typed there is taken where it finds one
study; of several one is chosen, beneath the box while it is typed, or, without JavaScript, when the form comes back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from treegarth.index.names import StudyName
from treegarth.index.study_search import OFFERED, StudySearch
from treegarth.phrases import P_
from treegarth.web.call import AnyCall
from treegarth.web.routes import Parameters, Text


class StudySaid(Parameters):
    """How a form says which study it is about."""

    study: Text = ""
    """What is typed: name, patient ID, accession number or UID."""
    chosen_study: Text = ""
    """Of several that this finds, Orthanc's identifier of the one that is meant."""


@dataclass(frozen=True, kw_only=True)
class StudyChoice:
    """What stands in the input, what it finds, and what is wrong with it."""

    text: str = ""
    offered: Sequence[StudyName] = ()
    there_are_more: bool = False
    chosen: str = ""  # Orthanc's identifier
    problem: str = ""

    @property
    def study(self) -> StudyName | None:
        """The one study that is meant."""
        return next((one for one in self.offered if one.orthanc_study_id == self.chosen), None)


NOTHING = StudyChoice()


def choose_study(call: AnyCall, connection: Connection, study: str, chosen_study: str = "") -> StudyChoice:
    """The study that is meant: the chosen one, if the text finds it, or the only one; else why there is none."""
    search, text = call.part(StudySearch), study.strip()
    if not text:
        return StudyChoice(problem=P_("Which study? Type a name, a patient ID, an accession number or a UID."))
    if chosen_study and (one := search.find(connection, text, orthanc_study_id=chosen_study)):
        return StudyChoice(text=text, offered=one, chosen=chosen_study)
    found = search.find(connection, text)
    if not found:
        return StudyChoice(text=text, problem=P_("No study of the archive has all of this."))
    if len(found) == 1 and not chosen_study:
        return StudyChoice(text=text, offered=found, chosen=found[0].orthanc_study_id)
    problem = P_("Choose the study that is meant.")
    return StudyChoice(text=text, offered=found[:OFFERED], there_are_more=len(found) > OFFERED, problem=problem)


def shown_choice(study: StudyName | None) -> StudyChoice:
    """Of a page about a study, so that its input says which."""
    if study is None:
        return NOTHING
    text = study.patient_id or study.study_instance_uid
    return StudyChoice(text=text, offered=[study], chosen=study.orthanc_study_id)
