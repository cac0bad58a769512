"""The content tree of a structured report in words, for people. Pure."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO

from pydicom import dcmread

from treegarth.dicom.elements import relabel_dataset
from treegarth.dicom.relabelling import NONE, Relabellings
from treegarth.dicom.sr_tree import Code, ContentItem, Reference, TreeFault, tree_of
from treegarth.dicom.wholeness import is_cut_off
from treegarth.errors import UnreadableObject, kind_of_error
from treegarth.phrases import P_
from treegarth.record import Record


class ContentNode(Record):
    """One content item in words: what it is, what it says, in which unit."""

    relationship: str
    value_type: str
    concept: str
    """The meaning of its name."""
    code: str
    """The code of its name and the scheme: `113812, DCM`."""
    value: str
    value_code: str
    """The code and scheme of a coded value; empty of every other."""
    unit: str
    """UCUM."""
    children: list[ContentNode]


@dataclass(frozen=True, kw_only=True, slots=True)
class SourceContent:
    """The root of the tree and what could not be read of it. `node_count` is 1 for an object without content."""

    root: ContentNode
    faults: Sequence[TreeFault]
    node_count: int


def read_content(content: bytes, relabellings: Relabellings = NONE) -> SourceContent:
    """The tree in the bytes of a DICOM file. Raises UnreadableObject."""
    if is_cut_off(content):
        raise UnreadableObject(P_("The object is cut off: it ends inside an element. Have it sent again."))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what pydicom warns of becomes a fault of the tree
        try:
            dataset = dcmread(BytesIO(content), force=True, stop_before_pixels=True)
            if relabellings:
                relabel_dataset(dataset, relabellings)
            tree = tree_of(dataset)
        except Exception as error:  # the bytes are arbitrary, and so are pydicom's exceptions
            kind = kind_of_error(error)
            raise UnreadableObject(P_("The object is not readable DICOM (%(kind)s).", kind=kind)) from error
    if "SOPClassUID" not in dataset and not tree.root.children:
        raise UnreadableObject(P_("The object is not readable DICOM: it has no SOP Class UID."))
    root = _node(tree.root)
    return SourceContent(root=root, faults=tree.faults, node_count=_count(root))


def _node(item: ContentItem) -> ContentNode:
    concept = item.concept
    return ContentNode(
        relationship=item.relationship,
        value_type=item.value_type,
        concept=(concept.meaning or concept.value) if concept else "",
        code=f"{concept.value}, {concept.scheme}" if concept else "",
        value=_value(item),
        value_code=f"{item.value.value}, {item.value.scheme}" if isinstance(item.value, Code) else "",
        unit=item.unit.value if item.unit and item.unit.value != "1" else "",
        children=[_node(child) for child in item.children],
    )


def _value(item: ContentItem) -> str:
    value = item.value
    if item.value_type == "CONTAINER":
        return f"TID {value}" if value else ""
    if isinstance(value, Code):
        return value.meaning or f"{value.value}, {value.scheme}"
    if isinstance(value, Reference):
        return value.sop_instance_uid
    if isinstance(value, tuple):
        return " \\ ".join(value)
    return value or ((item.qualifier.meaning if item.qualifier else "") or "")


def _count(node: ContentNode) -> int:
    return 1 + sum(_count(child) for child in node.children)
