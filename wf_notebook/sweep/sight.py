"""Whether somebody sees how far a sweep is, while a script waits for it."""

from __future__ import annotations

import os
import sys

from ..run import current

#: One that is over sooner need not be shown, in seconds.
SOON = 0.3


def is_seen() -> bool:
    """Say whether stderr is a terminal that draws, and nobody asked for quiet; inside of a run, that is what is shown."""
    if sys.stderr is None or not sys.stderr.isatty() or current.get() is not None:
        return False
    return os.environ.get("TERM") != "dumb" and os.environ.get("WF_QUIET", "") in {"", "0"}
