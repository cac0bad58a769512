"""Who may see a study, as one number in its row: rights, and whatever is summed over studies, are keyed by it.

A scope stands for one set of viewers, however many studies have the same: a number that is compared costs a query a
fraction of what a list of viewers in each row would. So far there is one, of everybody who is let in.
"""

from __future__ import annotations

WHOLE_ARCHIVE = 1
