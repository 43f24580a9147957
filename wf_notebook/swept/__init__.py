"""swept: how far a sweep is and what came of it, as words, as HTML and in a terminal."""

from __future__ import annotations

from .board import board_html
from .record import NAMED, swept_bundle, swept_metadata
from .said import foot, going, head, is_kept, like, stopped, where

__all__ = [
    "NAMED", "board_html", "foot", "going", "head", "is_kept", "like", "stopped", "swept_bundle", "swept_metadata", "where",
]  # fmt: skip
