"""A plot of scores: each input then and now, and the means; by matplotlib, which is loaded when it is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..errors import BadSetting, MissingPart

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

#: Colours that can be told apart in any kind of sight, on light and on dark; the marks differ in their shape, too.
OLD, NEW = "#6c757d", "#0072b2"


def drawn(scores: Mapping[str, Sequence[tuple[float | None, float | None]]], means: Mapping[str, Any]) -> Any:
    """Return a figure of scores, a part of it for each name: a ring for then, a diamond for now, a line for each mean."""
    if not scores:
        raise BadSetting("there are no scores to plot; compare(score=lambda text: …) makes some")
    try:
        from matplotlib import pyplot as plt
    except ImportError:
        raise MissingPart(".plot() needs matplotlib, which is not here; run %pip install matplotlib, or take .df()") from None
    count = max(map(len, scores.values()))
    size = (max(6.0, min(14.0, 0.25 * count + 3)), 3.0 * len(scores))
    figure, parts = plt.subplots(len(scores), 1, figsize=size, squeeze=False, layout="constrained")
    for part, (name, pairs) in zip(parts[:, 0], scores.items(), strict=True):
        _part(part, name, pairs, means[name])
    plt.close(figure)  # a notebook shows it as the value of its cell, and not once more as what was left open
    return figure


def _part(part: Any, name: str, pairs: Sequence[tuple[float | None, float | None]], mean: Any) -> None:
    for place, (old, new) in enumerate(pairs, start=1):
        if old is not None and new is not None:
            part.plot([place, place], [old, new], color=OLD, linewidth=1, zorder=1)
    sides = (("old", 0, "o", OLD, "none", mean.old, ":"), ("new", 1, "D", NEW, NEW, mean.new, "--"))
    for which, side, mark, colour, inside, middle, dash in sides:
        there = [(place, pair[side]) for place, pair in enumerate(pairs, start=1) if pair[side] is not None]
        across, up = zip(*there, strict=True) if there else ((), ())
        part.scatter(across, up, marker=mark, facecolors=inside, edgecolors=colour, label=which)
        if middle is not None:
            part.axhline(middle, color=colour, linestyle=dash, linewidth=1, label=f"mean {which} {middle:.3g}")
    part.set_title(f"{name}: {mean}")
    part.set_xlabel("input")
    part.set_ylabel(name)
    part.xaxis.get_major_locator().set_params(integer=True)
    part.legend(fontsize="small", loc="best")
