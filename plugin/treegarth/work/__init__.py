"""Long work: what takes minutes or hours and goes on after a crash. Declared once, it has progress, stop and page."""
