"""The tables of codes say what the standard says."""

from pydicom.sr._concepts_dict import concepts
from pydicom.sr._snomed_dict import mapping

from treegarth.dicom import codes
from treegarth.dicom.codes import IRRADIATION_EVENT_UID, SPIRAL_ACQUISITION, Concept, concept_of
from treegarth.dicom.sr_tree import Code

CONCEPTS = [one for one in vars(codes).values() if isinstance(one, Concept)]
STANDARD = {
    scheme: {code: meaning for by_code in keywords.values() for code, (meaning, _) in by_code.items()}
    for scheme, keywords in concepts.items()
}


def plain(meaning: str) -> str:
    return "".join(letter for letter in meaning.lower().removesuffix(" (mammo)") if letter.isalnum())


def test_every_dcm_code_has_the_meaning_of_the_standard():
    differing = [
        (value, concept.meaning, STANDARD["DCM"].get(value))
        for concept in CONCEPTS
        for scheme, value in concept.codes
        if scheme == "DCM" and plain(STANDARD["DCM"].get(value, "")) != plain(concept.meaning)
    ]
    assert differing == []


def test_srt_and_sct_codes_of_one_concept_are_the_same_concept():
    for concept in CONCEPTS:
        by_scheme = dict(concept.codes)
        if "SRT" in by_scheme and by_scheme["SRT"] in mapping["SRT"]:
            assert mapping["SRT"][by_scheme["SRT"]] == by_scheme["SCT"], concept


def test_a_concept_is_found_by_any_of_its_codes_whatever_the_meaning():
    for scheme, value in [("SCT", "116152004"), ("SRT", "P5-08001"), ("99SDM", "P5-08001"), ("UMLS", "C0860888")]:
        assert concept_of(Code(value, scheme, "spirale Aufnahme")) is SPIRAL_ACQUISITION
    assert concept_of(Code("113853", "DCM", "")) is IRRADIATION_EVENT_UID


def test_a_private_code_with_a_standard_meaning_is_not_the_standards():
    assert concept_of(Code("021", "99PHI-IXR-XPER", "Table Height Position")) is not codes.TABLE_HEIGHT_POSITION
    assert concept_of(Code("113769", "99PHI-IXR-XPER", "Irradiation Event UID")) is None
    assert concept_of(None) is None
