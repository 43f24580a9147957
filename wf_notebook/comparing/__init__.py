"""comparing: what was recorded and what would come now, side by side: one call again, or the whole workflow over many inputs."""

from __future__ import annotations

from ..frames.differing import WordDiff
from .again import Again
from .comparison import Comparison, Mean
from .row import Compared
from .running import compare
from .step import Step, step_of

__all__ = ["Again", "Compared", "Comparison", "Mean", "Step", "WordDiff", "compare", "step_of"]
