"""A private PostgreSQL in a folder of its own, for sites that bring none. Binaries from the wheel, calls our own.

Nobody else on the machine may use it: it listens on 127.0.0.1 only, asks everyone for a password, and no permission
outside its folder is changed. It outlives a crash of whoever started it; the next start takes it over.
"""

from treegarth.database.embedded.server import EmbeddedServer

__all__ = ["EmbeddedServer"]
