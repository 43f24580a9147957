"""swept: how far a sweep is and what came of it, as words, as HTML and in a terminal."""

from __future__ import annotations

from .afar import Afar, is_sweep
from .board import board_html
from .record import NAMED, recorded, swept_bundle, swept_metadata
from .said import far, foot, going, head, is_kept, like, stands, stopped, where

__all__ = [
    "NAMED",
    "Afar",
    "board_html",
    "far",
    "foot",
    "going",
    "head",
    "is_kept",
    "is_sweep",
    "like",
    "recorded",
    "stands",
    "stopped",
    "swept_bundle",
    "swept_metadata",
    "where",
]
