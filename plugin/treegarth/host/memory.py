"""Give memory that Orthanc and the plugin have freed back to the system. Calls the C library; nothing of ours is freed.

After a burst glibc keeps the pages between what is still in use, in a heap for each of Orthanc's threads.
"""

from __future__ import annotations

import ctypes

RETURN_EVERY_S = 30.0
"""One call takes 0.4 to 5 ms, without Python's lock."""


class MemoryReturn:
    """Gives memory back every so often, whenever it is asked what time it is."""

    def __init__(self, now: float) -> None:
        self._next = now + RETURN_EVERY_S
        self._trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc's alone

    def tick(self, now: float) -> bool:
        """Whether it was time. `now` is monotonic, in seconds."""
        if now < self._next or self._trim is None:
            return False
        self._next = now + RETURN_EVERY_S
        self._trim(0)
        return True
