"""A stored instance as the index takes it: what its bytes say, or else what Orthanc made of them, with the reason.

Whatever the bytes are, an instance that Orthanc has is described. One that it has no more is None.
"""

from __future__ import annotations

import dataclasses
import logging

from treegarth.dicom.depth import nesting_beyond
from treegarth.dicom.headers import Header, Issue, orthanc_identifiers, read_header
from treegarth.dicom.relabelling import NONE, Relabellings
from treegarth.errors import UnreadableObject
from treegarth.features.archive.ingest.sources import header_by_orthanc, identifiers_by_orthanc
from treegarth.features.archive.ingest.stores import header_checksum
from treegarth.index.instances import IndexedInstance, StoredInstance
from treegarth.orthanc.client import OrthancClient
from treegarth.phrases import P_

logger = logging.getLogger(__name__)


def described(
    orthanc: OrthancClient, item: StoredInstance, relabellings: Relabellings = NONE
) -> IndexedInstance | None:
    """By its bytes, as far as they can be read, and by what the site says of its device's character set."""
    data = item.data or b""
    header = _header(orthanc, item, data, relabellings)
    if header is None:
        return None
    nesting = nesting_beyond(data) if item.nesting is None else item.nesting
    return _identified(orthanc, item, header, header_checksum(data) if data else None, nesting or None)


def described_by_orthanc(orthanc: OrthancClient, instance: IndexedInstance, reason: str) -> IndexedInstance | None:
    """By what Orthanc itself knows, because the bytes gave what cannot be kept."""
    header = header_by_orthanc(orthanc, instance.orthanc_instance_id, reason)
    if header is None:
        return None
    return _identified(orthanc, instance, header, instance.header_checksum, instance.nesting_depth)


def _header(orthanc: OrthancClient, item: StoredInstance, data: bytes, relabellings: Relabellings) -> Header | None:
    try:
        return read_header(data, relabellings.sent_by(item.origin.remote_ae_title))
    except UnreadableObject as error:
        reason = error.sentence
    except Exception as error:  # whatever the bytes are, the objects behind this one must not wait
        logger.exception("The header of %s met a defect of the reader.", item.orthanc_instance_id)
        reason = P_("The header could not be read: %(kind)s.", kind=type(error).__name__)
    return header_by_orthanc(orthanc, item.orthanc_instance_id, reason)


def _identified(
    orthanc: OrthancClient,
    item: StoredInstance | IndexedInstance,
    header: Header,
    checksum: int | None,
    nesting_depth: int | None,
) -> IndexedInstance | None:
    identifiers = orthanc_identifiers(header)
    if identifiers.instance != item.orthanc_instance_id:  # Orthanc read an identifier otherwise than we did
        by_orthanc = identifiers_by_orthanc(orthanc, item.orthanc_instance_id)
        if by_orthanc is None:
            return None
        identifiers = by_orthanc
    return IndexedInstance(
        orthanc_patient_id=identifiers.patient,
        orthanc_study_id=identifiers.study,
        orthanc_series_id=identifiers.series,
        orthanc_instance_id=item.orthanc_instance_id,
        header=header if nesting_depth is None else _with_depth(header, nesting_depth),
        size_bytes=item.size_bytes,
        received_at=item.received_at,
        origin=item.origin,
        nesting_depth=nesting_depth,
        header_checksum=checksum,
    )


def _with_depth(header: Header, depth: int) -> Header:
    reason = P_("its sequences are nested %(depth)s deep: Orthanc cannot show it, so it is not shown", depth=depth)
    return dataclasses.replace(header, issues=(*header.issues, Issue(path="", reason=reason)))
