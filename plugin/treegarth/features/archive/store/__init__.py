"""Every query of the archive's index; nothing else of this feature holds SQL."""
