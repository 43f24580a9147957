"""cache: a step already done is not done again.

`keying` says what a step depends on, `steps` keeps what was done. Here a run looks for its steps (`call`, `functions`), does
what is not there, and says why. Who remembers nothing loads nothing of that.
"""

from __future__ import annotations

from .modes import MODES, PLAN, Mode, checked_mode, mode_of
from .remembering import Cache, remembering

__all__ = ["MODES", "PLAN", "Cache", "Mode", "checked_mode", "mode_of", "remembering"]
