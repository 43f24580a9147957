"""A plot of scores: each input then and now, and the means; by matplotlib, which is loaded when it is asked for."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from ..errors import BadSetting, MissingPart

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

#: Colours that can be told apart in any kind of sight, on light and on dark; the marks differ in their shape, too.
OLD, NEW = "#6c757d", "#0072b2"
#: Up to so many inputs are named, by so many characters; of more so many numbers stand at the axis.
FEW, LABEL, MARKS = 12, 24, 20


def drawn(
    scores: Mapping[str, Sequence[tuple[float | None, float | None]]], means: Mapping[str, Any], labels: Sequence[str] = ()
) -> Any:
    """Return a figure of scores, a part of it for each name: a ring for then, a diamond for now, a line for each mean.

    A few inputs are named by their labels, more by their number.
    """
    if not scores:
        raise BadSetting("there are no scores to plot; compare(score=lambda text: …) makes some")
    try:
        from matplotlib import pyplot as plt
    except ImportError:
        raise MissingPart(".plot() needs matplotlib, which is not here; run %pip install matplotlib, or take .df()") from None
    count = max(map(len, scores.values()))
    named = [_short(each) for each in labels] if len(labels) <= FEW else []
    size = (max(7.0, min(14.0, 0.25 * count + 4)), (4.0 if named else 3.0) * len(scores))
    figure: Any
    figure, parts = plt.subplots(len(scores), 1, figsize=size, squeeze=False, layout="constrained")
    figure._repr_mimebundle_ = partial(_closed, figure)
    for part, (name, pairs) in zip(parts[:, 0], scores.items(), strict=True):
        _part(part, name, pairs, means[name])
        _name(part, named, len(pairs))
    return figure


def _closed(figure: Any, **_: object) -> dict[str, Any]:
    """Close a figure that is shown as a value, so that it is not shown at the end of its cell, too, as what was left open.

    How it is shown says matplotlib: what is returned is nothing.
    """
    from matplotlib import pyplot as plt

    plt.close(figure)
    return {}


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
    part.set_ylabel(name)
    part.legend(fontsize="small", loc="upper left", bbox_to_anchor=(1.0, 1.0))  # beside, where it covers nothing


def _name(part: Any, named: Sequence[str], count: int) -> None:
    """Let each input be told by its label where there are few, and by whole numbers else."""
    part.set_xlim(0.5, max(count, 1) + 0.5)
    part.set_xlabel("input")
    if named:
        part.set_xticks(range(1, count + 1), named, rotation=30, ha="right", rotation_mode="anchor")
    else:
        step = -(-count // MARKS)
        part.set_xticks([1, *range(step, count + 1, step)] if step > 1 else range(1, count + 1))


def _short(label: str) -> str:
    text = label if len(label) <= LABEL else f"{label[: LABEL - 1]}…"
    return text.replace("$", r"\$")  # two of them would be a formula
