"""A made-up hospital day: DICOM objects built from nothing, for the demonstration, the tests and the benchmarks."""
