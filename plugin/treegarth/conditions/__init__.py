"""One language of conditions with two faces: it decides for one study in memory, and it compiles to SQL over the archive."""
