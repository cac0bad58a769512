"""Treegarth: a research and radiation-dose PACS that grows inside a stock Orthanc server."""

__version__ = "0.1.0"
