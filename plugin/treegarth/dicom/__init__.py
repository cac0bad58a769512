"""What DICOM says: headers, identifiers, text, code tables, SR content. Pure: no I/O, clock or logging in here."""
