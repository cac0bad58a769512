"""One day of a made-up hospital: twelve studies of seven kinds, the same ones for the same seed and date. Pure."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from treegarth.demo.codes import ABDOMEN, BREAST, CHEST, HEAD, HEART, KNEE, WHOLE_BODY, Code
from treegarth.demo.examinations import (
    Extent,
    Room,
    abdomen_ct,
    angiography,
    barium,
    brain_mr,
    chest_ct,
    head_ct,
    heart_ct,
    knee_mr,
    low_dose_chest_ct,
    mammography,
    pet_ct,
)
from treegarth.demo.expected import BuiltStudy
from treegarth.demo.identifiers import made_up_uid
from treegarth.demo.patients import Patient, cast
from treegarth.demo.studies import Procedure, Study

Builder = Callable[[Room], BuiltStudy]


def hospital_day(seed: int, day: date, *, zone: tzinfo = UTC, extent: Extent | None = None) -> Iterator[BuiltStudy]:
    """The day's studies one after the other, about 240 objects and 70 MB in all at the usual extent."""
    for number, (patient, (procedure, build)) in enumerate(zip(cast(seed), _PROGRAMME, strict=True), start=1):
        study = _study(seed, day, zone, number, patient, procedure)
        chance = random.Random(f"study {study.study_instance_uid}")
        yield build(Room(study=study, extent=extent or Extent(), chance=chance))


def _study(seed: int, day: date, zone: tzinfo, number: int, patient: Patient, procedure: Procedure) -> Study:
    started = datetime.combine(day, time(8, 5), tzinfo=zone) + timedelta(minutes=37 * (number - 1))
    return Study(
        patient=patient,
        procedure=procedure,
        started=started,
        study_instance_uid=made_up_uid("hospital day", seed, day.isoformat(), number),
        accession_number=f"{day:%y%m%d}{seed % 1000:03d}{number:02d}",
        study_id=str(number),
    )


def _order(description: str, code: str, body_part: str, region: Code, reason: str) -> Procedure:
    return Procedure(description=description, code=code, body_part=body_part, region=region, reason=reason)


# One line a patient, in the order of the cast: what a device writes must fit the patient's character set.
_PROGRAMME: tuple[tuple[Procedure, Builder], ...] = (
    (_order("흉부 CT (조영)", "CTCHC", "CHEST", CHEST, "기침, 폐결절 의심"), chest_ct),
    (_order("복부 CT 2상", "CTABD2", "ABDOMEN", ABDOMEN, "간 종괴"), abdomen_ct),
    (_order("CT Schädel nativ", "CTHD", "HEAD", HEAD, "Schwindel, Blutung?"), head_ct),
    (_order("저선량 흉부 CT", "CTLDCT", "CHEST", CHEST, "폐암 검진"), low_dose_chest_ct),
    (_order("IRM cérébrale", "MRHD", "HEAD", HEAD, "Céphalées"), brain_mr),
    (_order("FDG PET/CT 전신", "PTWB", "WHOLEBODY", WHOLE_BODY, "병기 결정"), pet_ct),
    (_order("관상동맥 조영술", "XACOR", "HEART", HEART, "흉통"), angiography),
    (_order("Mammographie Screening", "MGSCR", "BREAST", BREAST, "Früherkennung"), mammography),
    (_order("심장 CT (이중선원)", "CTCOR", "HEART", HEART, "협심증"), heart_ct),
    (_order("膝 MRI", "MRKN", "KNEE", KNEE, "膝の痛み"), knee_mr),
    (_order("Barium swallow", "RFSWA", "CHEST", CHEST, "Dysphagia"), barium),
    (_order("소아 두부 CT", "CTHDP", "HEAD", HEAD, "두부 외상"), head_ct),
)
