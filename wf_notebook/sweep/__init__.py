"""sweep: a workflow over many inputs, a run for each row, kept so that what is done is done once.

`rows` says what a sweep is given and `tasks` what is left to do of it; `doing` does one row, `crew` many at once, `keeping` saves
them together, and `sweep` is what the user holds.
"""

from __future__ import annotations

from .mapping import mapped, mapped_by_line
from .progress import Progress
from .row import Row
from .sweep import Sweep

__all__ = ["Progress", "Row", "Sweep", "mapped", "mapped_by_line"]
