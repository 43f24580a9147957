"""cache: a step already done is not done again.

`keying` says what a step depends on, `steps` keeps what was done; here a run looks for its steps, does those that are not
there, and says why.
"""

from __future__ import annotations

from .call import Call
from .functions import step
from .heard import hearing
from .modes import MODES, PLAN, Mode, checked_mode, mode_of
from .remembering import Cache, remembering

__all__ = ["MODES", "PLAN", "Cache", "Call", "Mode", "checked_mode", "hearing", "mode_of", "remembering", "step"]
