"""The system itself: its health, its tasks, and what a person can do about them."""
