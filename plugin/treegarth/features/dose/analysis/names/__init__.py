"""Standard names: by which rules exams and protocols, whatever scanners call them, have one name of the site's own."""
