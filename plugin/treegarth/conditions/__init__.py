"""One language of conditions with two faces: it decides in memory for one study, and compiles to SQL for all."""
