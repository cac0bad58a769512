"""The plugin's child processes: `python -m treegarth.roles migrate`, `indexer` and `worker`.

Each reads its instructions from standard input and ends when that closes. A module for each, so that none loads what
only another one needs.
"""
