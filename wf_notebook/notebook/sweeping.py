"""A sweep as the last expression of a cell: it is done, and shown as a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from IPython.display import display

if TYPE_CHECKING:
    from ..sweep import Sweep


def display_sweep(sweep: Sweep) -> None:
    """Do a sweep to its end, and show what came of it."""
    sweep.result()
    display(sweep.table())  # type: ignore[no-untyped-call]
