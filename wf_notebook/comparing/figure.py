"""A figure that is shown once: as the value of its cell, or by what shows at the end of a cell the figures that are left open."""

from __future__ import annotations

from typing import Any

from matplotlib import figure
from matplotlib import pyplot as plt


class Figure(figure.Figure):
    """A figure of matplotlib that is left open, as pyplot leaves its own, until it is shown as a value."""

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:
        """Return nothing of its own, as matplotlib says how figures are shown; and close it, so that this is the only time."""
        plt.close(self)
        return {}
