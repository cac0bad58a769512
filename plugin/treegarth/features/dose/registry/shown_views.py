"""Views of the breast and materials of anode and filter in plain words. Tables and words only.

Codes are SNOMED's by CID 4014, 4015, 10006 and 10016 of PS3.16, each with the SRT code that older devices write.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from treegarth.features.dose.reading.model import Values
from treegarth.features.dose.registry.shown_tables import Cell, readable_meaning
from treegarth.phrases import N_, Phrase

VIEWS: dict[tuple[str, str], str] = {
    ("399162004", "R-10242"): N_("cranio-caudal (CC)"),
    ("399368009", "R-10226"): N_("medio-lateral oblique (MLO)"),
    ("399260004", "R-10224"): N_("medio-lateral (ML)"),
    ("399352003", "R-10228"): N_("latero-medial (LM)"),
    ("399099002", "R-10230"): N_("latero-medial oblique (LMO)"),
    ("399196006", "R-10244"): N_("caudo-cranial (FB)"),
    ("399188001", "R-102D0"): N_("superolateral to inferomedial oblique (SIO)"),
    ("441555000", "R-40AAA"): N_("inferomedial to superolateral oblique (ISO)"),
    ("399192008", "R-1024A"): N_("cranio-caudal exaggerated laterally (XCCL)"),
    ("399101009", "R-1024B"): N_("cranio-caudal exaggerated medially (XCCM)"),
}
"""CID 4014, with the abbreviations that View Position (0018,5101) has."""
MODIFIERS: dict[tuple[str, str], str] = {
    ("399163009", "R-102D6"): N_("magnification"),
    ("399055006", "R-102D7"): N_("spot compression"),
    ("399161006", "R-102D2"): N_("cleavage"),
    ("399011000", "R-102D1"): N_("axillary tail"),
    ("399197002", "R-102D3"): N_("rolled laterally"),
    ("399226006", "R-102D4"): N_("rolled medially"),
    ("415670009", "R-102C9"): N_("rolled upwards"),
    ("414493004", "R-102CA"): N_("rolled downwards"),
    ("399209000", "R-102D5"): N_("implant displaced"),
    ("399110001", "R-102C2"): N_("tangential"),
    ("442581004", "R-40AB3"): N_("nipple in profile"),
    ("441752004", "P2-00161"): N_("anterior compression"),
    ("442593008", "R-40ABE"): N_("inframammary fold"),
    ("442580003", "R-40AB2"): N_("axillary tissue"),
}
"""CID 4015."""
MATERIALS: dict[tuple[str, str], str] = {
    ("71128006", "C-15000"): N_("Molybdenum"),
    ("59801003", "C-16700"): N_("Rhodium"),
    ("26194003", "C-16400"): N_("Tungsten"),
    ("41967008", "C-13700"): N_("Silver"),
    ("12503006", "C-12000"): N_("Aluminium"),
    ("66925006", "C-12700"): N_("Copper"),
    ("88488004", "C-13200"): N_("Lead"),
    ("12597001", "C-13900"): N_("Tin"),
    ("45215009", "C-15600"): N_("Tantalum"),
    ("767776000", ""): N_("Niobium"),
    ("767775001", ""): N_("Europium"),
}
"""CID 10006 and 10016."""
_BY_CODE = {
    code: words for table in (VIEWS, MODIFIERS, MATERIALS) for codes, words in table.items() for code in codes if code
}
_VIEW_OF_IMAGE = {words.rpartition("(")[2].rstrip(")"): words for words in VIEWS.values()}
_MATERIAL_OF_IMAGE = {words.upper(): words for words in MATERIALS.values()} | {"ALUMINUM": N_("Aluminium")}
MODIFIER_NAMES = ("image_view_modifier_code", "image_view_modifier_codes")


def view_cells(event: Values) -> dict[str, Cell]:
    """The view with what modifies it, and the materials of anode and filter, of a report or of an image's header."""
    position = str(event.get("view_position") or "")
    cells = {
        "view": _cell(_coded(event.get("image_view_code")), _told(_VIEW_OF_IMAGE, position)),
        "view_modifiers": _cell([one for name in MODIFIER_NAMES for one in _coded(event.get(name))]),
        "anode_and_filter": _cell(_anode_and_filter(event)),
    }
    return {name: cell for name, cell in cells.items() if cell.texts}


def filters_cell(event: Values) -> Cell | None:
    """Every filter: material, thickness, form; of an image's header as it is written there."""
    given = event.get("x_ray_filters")
    if isinstance(given, list):
        return Cell(texts=[_filter(one) for one in given if isinstance(one, Mapping)], numeric=False)
    written = _told(_MATERIAL_OF_IMAGE, str(event.get("x_ray_filter_material") or ""))
    form = str(event.get("x_ray_filter_type") or "")
    return Cell(texts=[*written, *([form] if form else [])], numeric=False) if written or form else None


def _filter(one: Mapping[str, Any]) -> str:
    least, most = one.get("x_ray_filter_thickness_minimum_mm"), one.get("x_ray_filter_thickness_maximum_mm")
    ends = list(dict.fromkeys(f"{end:g}" for end in (least, most) if isinstance(end, int | float)))
    thickness = f"{'–'.join(ends)} mm" if ends else ""
    parts = (*_materials(one), thickness, str(one.get("x_ray_filter_type") or ""))
    return Phrase(" ".join("%(part" + str(place) + ")s" for place, part in enumerate(parts) if part),
                  {f"part{place}": part for place, part in enumerate(parts) if part})  # fmt: skip


def _materials(one: Mapping[str, Any]) -> list[str]:
    several = one.get("x_ray_filter_material_code_values")
    return _coded(several if several else one.get("x_ray_filter_material_code"))


def _anode_and_filter(event: Values) -> list[str]:
    anode = _coded(event.get("anode_target_material_code"))
    anode = anode or _told(_MATERIAL_OF_IMAGE, str(event.get("anode_target_material") or ""))
    filters = [word for one in event.get("x_ray_filters") or () if isinstance(one, Mapping) for word in _materials(one)]
    filters = filters or _told(_MATERIAL_OF_IMAGE, str(event.get("x_ray_filter_material") or ""))
    return [*anode, *dict.fromkeys(filters)]


def _cell(words: list[str], otherwise: list[str] | None = None) -> Cell:
    return Cell(texts=words or otherwise or [], numeric=False)


def _coded(value: Any) -> list[str]:
    """Codes in plain words; one that is in no table by its own meaning."""
    codes = value if isinstance(value, list) else [value]
    return [
        Phrase(_BY_CODE[str(one["code"])])
        if str(one.get("code")) in _BY_CODE
        else readable_meaning(str(one.get("meaning") or one.get("code") or "–"))
        for one in codes
        if isinstance(one, Mapping)
    ]


def _told(table: Mapping[str, str], written: str) -> list[str]:
    """A word of an image's header; several, or one that is in no table, as they are written."""
    if not written:
        return []
    return [Phrase(table[written.upper()]) if written.upper() in table else written]
