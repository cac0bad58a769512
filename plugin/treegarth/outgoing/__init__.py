"""The way out: files, secrets and connections that destinations and webhooks name, as far as the settings allow."""
