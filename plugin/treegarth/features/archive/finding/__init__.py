"""Answers to C-FIND out of the index (PS3.4 C.4.1): the question as keys, the query, the answers as DICOM."""
