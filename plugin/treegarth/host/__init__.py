"""The Orthanc edge: callbacks, WSGI bridge, HTTP client to Orthanc, child processes and their life."""
