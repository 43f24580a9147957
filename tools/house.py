"""Draw docs/house.svg, the picture of the house, from the table of floors in tests/test_house.py."""

from __future__ import annotations

import ast
import re
from html import escape
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
PICTURE = ROOT / "docs" / "house.svg"

#: What is done on each floor.
CAPTIONS = (
    "errors",
    "what a run says",
    "values and state",
    "sessions",
    "storages, showing",
    "the engine, agents",
    "tables, looking",
    "notebook, terminal",
    "the front door",
)

#: Whom only that room may know.
WALLED = {"storage": "databases", "agents": "pydantic-ai", "notebook": "IPython, widgets"}

#: Colours for readers of light and of dark pages: paper, text, floor, room, folder, line.
LIGHT = ("#ffffff", "#1f2328", "#f3f4f6", "#ffffff", "#dbeafe", "#8a929c")
DARK = ("#16181d", "#e6e8eb", "#20242b", "#16181d", "#1e3a5f", "#6b7480")
NAMES = ("paper", "text", "floor", "room", "folder", "line")

RULES = (
    "text { font: 12px ui-monospace, Menlo, Consolas, monospace; fill: var(--text); white-space: pre }\n"
    "rect { fill: var(--paper) } .floor { fill: var(--floor) }\n"
    ".room { fill: var(--room); stroke: var(--line) } .folder { fill: var(--folder); stroke: var(--line) }\n"
)

WIDTH, LEFT, GAP, HEIGHT, LETTER = 960, 170, 6, 24, 7.3


class Room(NamedTuple):
    """A module of the top level, or a folder of them."""

    name: str
    is_folder: bool

    @property
    def label(self) -> str:
        """What is written on it."""
        known = f" · {WALLED[self.name]}" if self.name in WALLED else ""
        return f"{self.name}/{known}" if self.is_folder else self.name


def floors() -> list[list[Room]]:
    """Return the rooms of each floor, from the ground up, in their order."""
    tree = ast.parse((ROOT / "tests" / "test_house.py").read_text(encoding="utf-8"))
    table = next(
        ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id == "FLOORS"
    )
    found = []
    for floor in re.split(r"^\d+", table, flags=re.MULTILINE)[1:]:
        modules = floor.split()
        names = dict.fromkeys(module.partition(".")[0] for module in modules)
        found.append([Room(name, any(module.startswith(f"{name}.") for module in modules)) for name in names])
    return found


def drawn(house: list[list[Room]]) -> str:
    """Return the picture: floors one above the other, the front door on top."""
    parts, top = [], float(GAP)
    for number, rooms in reversed([*enumerate(house)]):
        boxes, left, row = [], float(LEFT), 0
        for room in rooms:
            width = len(room.label) * LETTER + 14
            if left + width > WIDTH - 2 * GAP:
                left, row = float(LEFT), row + 1
            kind = "folder" if room.is_folder else "room"
            boxes.append(_box(left, top + GAP + row * (HEIGHT + GAP), width, room.label, kind))
            left += width + GAP
        height = (row + 1) * (HEIGHT + GAP) + GAP
        parts.append(f'<rect class="floor" x="{GAP}" y="{top:g}" width="{WIDTH - 2 * GAP}" height="{height}" rx="4"/>')
        parts.append(f'<text x="{2 * GAP}" y="{top + GAP + 16:g}">{number}  {escape(CAPTIONS[number])}</text>')
        parts += boxes
        top += height + GAP
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {top:g}" role="img" aria-labelledby="title">\n'
        '<title id="title">The house: nine floors of rooms; a room uses what lies below it</title>\n'
        f"<style>\n{style(RULES)}</style>\n"
        f'<rect class="paper" width="{WIDTH}" height="{top:g}"/>\n'
    )
    return head + "\n".join(parts) + "\n</svg>\n"


def _box(left: float, top: float, width: float, label: str, kind: str) -> str:
    return (
        f'<rect class="{kind}" x="{left:.1f}" y="{top:g}" width="{width:.1f}" height="{HEIGHT}" rx="3"/>'
        f'<text x="{left + 7:.1f}" y="{top + 16:g}">{escape(label)}</text>'
    )


def style(rules: str) -> str:
    """Return rules that know the colours; the picture has paper of its own, so it can be read on whatever page it lies."""
    light, dark = (" ".join(f"--{name}: {colour};" for name, colour in zip(NAMES, of, strict=True)) for of in (LIGHT, DARK))
    return f"svg {{ {light} }}\n@media (prefers-color-scheme: dark) {{ svg {{ {dark} }} }}\n{rules}"


if __name__ == "__main__":
    PICTURE.write_text(drawn(floors()), encoding="utf-8")
