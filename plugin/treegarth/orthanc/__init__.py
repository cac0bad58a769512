"""Orthanc as every floor above may know it: its HTTP API, the headers of its objects, what its plugin tells by pipe."""
