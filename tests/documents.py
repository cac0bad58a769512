"""An Encapsulated PDF (PS3.3 A.45.1) whose page is one colour, so that a picture of it is easily told."""

from __future__ import annotations

from pathlib import Path

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import EncapsulatedPDFStorage, ExplicitVRLittleEndian, generate_uid

COLOUR = (0, 153, 51)
"""Of the page: no window of a viewer has it."""


def encapsulated_pdf(path: Path, *, patient_id: str = "PDF-1") -> str:
    """Write the object; its Study Instance UID."""
    data = Dataset()
    data.file_meta = FileMetaDataset()
    data.file_meta.MediaStorageSOPClassUID = EncapsulatedPDFStorage
    data.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data.SOPClassUID, data.SOPInstanceUID = EncapsulatedPDFStorage, data.file_meta.MediaStorageSOPInstanceUID
    data.PatientName, data.PatientID, data.PatientBirthDate, data.PatientSex = "Report^Made Up", patient_id, "", "O"
    data.StudyInstanceUID, data.SeriesInstanceUID = generate_uid(), generate_uid()
    data.StudyDate, data.StudyTime, data.StudyDescription = "20261120", "101500", "Report"
    data.AccessionNumber, data.ReferringPhysicianName, data.StudyID = "", "", "1"
    data.Modality, data.Manufacturer, data.SeriesNumber, data.InstanceNumber = "DOC", "Made up", "1", "1"
    data.ContentDate, data.ContentTime, data.AcquisitionDateTime = "20261120", "101500", "20261120101500"
    data.BurnedInAnnotation, data.DocumentTitle, data.ConceptNameCodeSequence = "YES", "Report", Sequence()
    data.MIMETypeOfEncapsulatedDocument = "application/pdf"
    document = pdf_of_one_colour()
    data.EncapsulatedDocument = document + b"\0" * (len(document) % 2)
    data.EncapsulatedDocumentLength = len(document)
    data.save_as(path, enforce_file_format=True)
    return str(data.StudyInstanceUID)


def pdf_of_one_colour() -> bytes:
    """A PDF of one A4 page (ISO 32000)."""
    red, green, blue = (part / 255 for part in COLOUR)
    drawing = f"{red} {green} {blue} rg 0 0 595 842 re f".encode()
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources<<>>>>",
        b"<</Length %d>>stream\n%s\nendstream" % (len(drawing), drawing),
    ]
    text, places = b"%PDF-1.4\n", []
    for number, content in enumerate(objects, start=1):
        places.append(len(text))
        text += b"%d 0 obj%s endobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    return text + b"xref\n0 5\n0000000000 65535 f \n%strailer<</Size 5/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (
        table,
        len(text),
    )
