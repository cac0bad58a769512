"""Flask app, REST API's frame, OpenAPI, templates, static files, languages, access checks. Knows no feature."""
