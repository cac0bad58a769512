"""The dose registry: what was read, decided into exams, kept, shown, and asked for."""
