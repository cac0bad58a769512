"""What a site says of devices' character sets, as documents. A change has what such devices wrote read anew."""

from __future__ import annotations

from sqlalchemy import Connection

from treegarth.documents.language import Documents, Pages, parse_by
from treegarth.documents.store import Author, Change, Kind, Stored
from treegarth.features.archive.charsets.model import CharacterSetParameters, relabelling_of
from treegarth.features.archive.charsets.paths import CharacterSetPath
from treegarth.features.archive.charsets.preview import preview_section
from treegarth.features.archive.charsets.tables import character_set, character_set_version
from treegarth.features.archive.works import RELABELLING
from treegarth.index.relabelling import write_relabellings
from treegarth.phrases import N_
from treegarth.work.store import start


class CharacterSet(Stored):
    """What is said of a device's character set, as it is now."""


PAGE = "archive.character_sets_page"


def _follow(connection: Connection, before: Stored, change: Change, author: Author) -> None:
    """From the end of this transaction on objects are read by it; those that are here, by a long work."""
    on = CHARACTER_SETS.all(connection, only_on=True)
    write_relabellings(connection, [relabelling_of(one.document) for one in on])
    now = CHARACTER_SETS.read(connection, before.id, removed=True)
    concerned = [one.document for one in (before, now) if one.is_on]
    if not concerned:
        return
    start(
        connection,
        RELABELLING.name,
        by=author.name,
        now=author.now,
        subject=f"{now.id}.{now.version}",
        detail=now.name,
        given={"documents": concerned if concerned[0] != concerned[-1] else concerned[:1]},
    )


CHARACTER_SETS = Kind(
    record=CharacterSet,
    table=character_set,
    versions=character_set_version,
    missing=N_("There is no character set with this number."),
    taken=N_("Another one has the name %(name)s."),
    keys=tuple(CharacterSetParameters.model_fields),
    follow=_follow,
)

CHARACTER_SET_DOCUMENTS = Documents(
    kind=CHARACTER_SETS,
    name="character_set",
    names="character_sets",
    example={
        "name": "old CT",
        "manufacturer_model_name": "Orb*",
        "labelled": "ISO_IR 100",
        "really": "ISO 2022 IR 149",
        "reason": "writes Korean under the label of Latin",
    },
    one="character set of a device",
    many="character sets of devices",
    path="character-sets",
    tag="archive",
    number=CharacterSetPath,
    parse=parse_by(CharacterSetParameters),
    model=CharacterSetParameters,
    pages=Pages(
        title=N_("Character sets of devices"),
        place="character-sets",
        prefix="character_sets",
        list_page=PAGE,
        begin="name: \nmanufacturer: \nmanufacturer_model_name: \nlabelled: any\nreally: ISO 2022 IR 149\nreason: \n",
        section=preview_section,
        help={
            "name": N_("What it is called."),
            "manufacturer": N_("Of the device; `*` and `?` stand for what may vary. All that are given must fit."),
            "manufacturer_model_name": N_("The model."),
            "station_name": N_("The station."),
            "device_serial_number": N_("The serial number."),
            "remote_ae_title": N_("The AE title of the node that sends the objects."),
            "labelled": N_(
                "What the objects say of their character set: `any`, `absent`, or the value, as `ISO_IR 100`."
            ),
            "really": N_("What it really is: a value as DICOM has it, or `WINDOWS-1251`, `EUC-JP`, `BIG5`, `KOI8-R`."),
            "reason": N_("Why, for whoever looks at it later."),
        },
    ),
)
