"""The web ground floor: Flask application, the one route table, OpenAPI, templates, languages. No feature's knowledge."""
