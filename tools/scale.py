"""Draw docs/scale.svg, the picture of how far it goes: a notebook, a machine, a team, a cluster, and the line that leads on."""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import NamedTuple

from house import RULES, style

PICTURE = Path(__file__).resolve().parent.parent / "docs" / "scale.svg"


class Step(NamedTuple):
    """One of the steps: who runs, by what line, in how many processes, into which store, and what bounds it."""

    name: str
    line: tuple[str, ...]
    drivers: tuple[str, ...]
    workers: tuple[str, ...]
    store: str
    bound: tuple[str, ...]


STEPS = (
    Step(
        "one notebook",
        ('blog.run(topic="ducks")',),
        ("a notebook",),
        (),
        ".workflows/workflows.duckdb",
        ("one answer after the other",),
    ),
    Step(
        "one machine",
        ("blog.map(df, limit=64)",),
        ("a notebook, or wf run",),
        ("row", "row", "row", "…"),
        ".workflows/workflows.duckdb",
        ("a file that one process", "writes at a time"),
    ),
    Step(
        "a team",
        ("storage=", '  "postgresql://db/runs"'),
        ("Ada", "Bo", "a job"),
        (),
        "Postgres",
        ("the commits of one server",),
    ),
    Step(
        "a cluster",
        ("blog.map(df,", '  executor=Client("tcp://…"))'),
        ("a notebook, or a job",),
        ("worker", "worker", "…"),
        "Postgres",
        ("what the models' provider", "lets through, and its bill"),
    ),
)

PANEL, GAP, TOP, HEIGHT, LETTER = 236, 8, 8, 24, 7.3
#: Where in a panel, from above: the line, who runs it, the rows or workers, the store, and what bounds it.
LINE, DRIVERS, WORKERS, STORE, BOUND = 44, 84, 132, 180, 218
BOTTOM = 272
WIDTH = len(STEPS) * (PANEL + GAP) + GAP

MORE = ".line { font-weight: bold } .arrow { stroke: var(--line); stroke-width: 1.2; fill: none } .head { fill: var(--line) }\n"


def drawn() -> str:
    """Return the picture: a panel for each step, from left to right."""
    parts = [part for place, step in enumerate(STEPS) for part in _panel(GAP + place * (PANEL + GAP), place + 1, step)]
    height = TOP + BOTTOM + GAP
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" aria-labelledby="title">\n'
        '<title id="title">Four steps: one notebook, one machine, a team, a cluster; each with the line that leads to it, '
        "what runs, where it is kept, and what bounds it</title>\n"
        f"<style>\n{style(RULES + MORE)}</style>\n"
        f'<rect class="paper" width="{WIDTH}" height="{height}"/>\n' + "\n".join(parts) + "\n</svg>\n"
    )


def _panel(left: int, number: int, step: Step) -> list[str]:
    inner = left + GAP
    parts = [f'<rect class="floor" x="{left}" y="{TOP}" width="{PANEL}" height="{BOTTOM}" rx="4"/>']
    parts.append(_text(inner, TOP + 20, f"{number}  {step.name}"))
    parts += [_text(inner, TOP + LINE + 16 * row, line, "line") for row, line in enumerate(step.line)]
    parts += _row(inner, TOP + DRIVERS, step.drivers, "room")
    parts += _row(inner, TOP + WORKERS, step.workers, "room")
    parts += _row(inner, TOP + STORE, (step.store,), "folder")
    for above, below in ((DRIVERS, WORKERS), (WORKERS, STORE)) if step.workers else ((DRIVERS, STORE),):
        for x, each in _places(inner, step.workers or step.drivers):
            parts.append(_arrow(x + each / 2, TOP + above + HEIGHT, TOP + below))
    parts += [_text(inner, TOP + BOUND + 14 + 16 * row, said) for row, said in enumerate(("bounded by", *step.bound))]
    return parts


def _places(left: int, labels: tuple[str, ...]) -> list[tuple[float, float]]:
    """Return where boxes that share the breadth of a panel begin, and how broad each is."""
    each = (PANEL - 2 * GAP - (len(labels) - 1) * 6) / max(len(labels), 1)
    return [(left + place * (each + 6), each) for place in range(len(labels))]


def _row(left: int, top: int, labels: tuple[str, ...], kind: str) -> list[str]:
    parts = []
    for (x, each), label in zip(_places(left, labels), labels, strict=True):
        parts.append(f'<rect class="{kind}" x="{x:.1f}" y="{top}" width="{each:.1f}" height="{HEIGHT}" rx="3"/>')
        parts.append(_text(x + (each - len(label) * LETTER) / 2, top + 16, label))
    return parts


def _text(x: float, y: int, said: str, kind: str = "said") -> str:
    return f'<text class="{kind}" x="{x:.1f}" y="{y}">{escape(said)}</text>'


def _arrow(x: float, top: int, bottom: int) -> str:
    end = bottom - 1
    return f'<path class="arrow" d="M{x:.1f} {top}V{end - 5}"/><path class="head" d="M{x - 4:.1f} {end - 6}h8l-4 6z"/>'


if __name__ == "__main__":
    PICTURE.write_text(drawn(), encoding="utf-8")
