"""What Treegarth can do, a folder a capability. A feature shows the others only what stands in its `__init__.py`."""
