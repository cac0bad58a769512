"""Alerts of dose: levels that a site sets, which exams and patients are above them, and what people did about it."""
