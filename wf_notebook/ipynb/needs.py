"""Which cells a workflow of a notebook needs, and in which order they run: told from the names that they use."""

from __future__ import annotations

import builtins
import re
from functools import cached_property
from heapq import heapify, heappop, heappush
from typing import TYPE_CHECKING

from ..errors import BadCell
from .cell import outline, snake_case
from .naming import Bound, Used, bound, used
from .options import names_in

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .cells import Cell

#: What every cell may use: Python's own, and what a kernel has beside it.
GIVEN = {*dir(builtins), "__name__", "__doc__", "__file__", "display"}


class Place:
    """A cell among the others: what it binds and uses."""

    def __init__(self, cell: Cell) -> None:
        self.cell = cell

    @property
    def number(self) -> int:
        """Where it stands in the notebook."""
        return self.cell.number

    @cached_property
    def bound(self) -> Bound:
        """What it binds; nothing, if it is no Python."""
        if not self.cell.is_python:
            return Bound(perhaps=frozenset(self.cell.outs))
        found = bound(self.cell.tree.body)
        surely = found.surely | {*self.cell.outs}
        if self.cell.is_workflow:
            body = outline(self.cell.tree)
            if not body.classes:  # its functions become methods, and leave nothing behind
                surely -= {*body.methods}
            surely |= {*self.instances(body.classes)}
        return Bound(frozenset(surely), found.perhaps, found.everything)

    @cached_property
    def used(self) -> Used:
        """What it takes from other cells; nothing, if it is no Python."""
        if not self.cell.is_python:
            return Used()
        found = used(self.cell.tree.body)
        if not self.cell.is_workflow:
            return found
        options = self.cell.line.options
        return Used(found.now | names_in(options.session) | names_in(options.storage), found.later)

    def instances(self, classes: Iterable[str]) -> list[str]:
        """Return the names by which the workflows of a `%%workflow` cell, whose classes these are, can be run."""
        name = self.cell.name
        return [snake_case(each) for each in classes] if name is None else [snake_case(name) if name in classes else name]


def needed(target: Cell, binding: Binding) -> list[Cell]:
    """Return the cells that one needs, itself among them, in the order in which they run: that of the notebook, if it can be.

    A name means what the last cell before binds it to; if there is none, the first one after, as where cells were run out of
    order. What a function uses counts as it stands at the target. Raises BadCell where two cells need each other.
    """
    last = binding.places[target.number]
    found: dict[int, set[int]] = {}  # of each cell those that must have run before it
    waiting = [last]
    while waiting:
        place = waiting.pop()
        if place.number in found:
            continue
        now = binding.definers(place.used.now, before=place.number)
        later = binding.definers(place.used.later, before=last.number + 1)
        found[place.number] = {each.number for each in now} - {place.number}
        waiting += [*now, *later]
    return [binding.places[number].cell for number in _in_order(found, binding.places)]


class Binding:
    """Which cells bind which names."""

    def __init__(self, cells: Iterable[Cell]) -> None:
        self.places = {cell.number: Place(cell) for cell in cells}
        self._by_name: dict[str, list[Place]] = {}
        for place in self.places.values():
            for name in place.bound.names:
                self._by_name.setdefault(name, []).append(place)
        self._stars = [place for place in self.places.values() if place.bound.everything]

    def _broken(self, name: str) -> list[Place]:
        """Return the cells that are no Python, and look as if they gave a name what it means."""
        given = re.compile(rf"^(?:(?:async\s+)?def|class)\s+{re.escape(name)}\b|^{re.escape(name)}\s*=", re.MULTILINE)
        return [place for place in self.places.values() if not place.cell.is_python and given.search(place.cell.text)]

    def definers(self, names: Iterable[str], *, before: int) -> list[Place]:
        """Return the cells that give names what they mean before a place in the notebook, or else after it."""
        found: list[Place] = []
        for name in names:
            binders = self._by_name.get(name, [])
            earlier: list[Place] = []
            for place in reversed([each for each in binders if each.number < before]):
                earlier.append(place)
                if name in place.bound.surely:
                    break
            later = [] if earlier else [each for each in binders if name in each.bound.surely][:1]
            found += earlier or later or ([] if name in GIVEN else [*self._broken(name), *self._stars])
        return found


def _in_order(found: dict[int, set[int]], places: dict[int, Place]) -> list[int]:
    """Return the cells in the order of the notebook; but each after those that it needs when it runs."""
    missing = {number: set(before) for number, before in found.items()}
    ready = [number for number, before in missing.items() if not before]
    heapify(ready)
    order: list[int] = []
    while ready:
        done = heappop(ready)
        order.append(done)
        for number, before in missing.items():
            if done in before:
                before.discard(done)
                if not before:
                    heappush(ready, number)
    if len(order) < len(found):
        circle = _circle({number: before for number, before in missing.items() if before})
        said = ", which needs ".join(places[number].cell.says for number in circle)
        raise BadCell(f"{said}: they need each other; move what both use into a cell before them")
    return order


def _circle(missing: dict[int, set[int]]) -> list[int]:
    """Return cells of which each needs the next, and the last one the first, which stands there again."""
    way = [min(missing)]
    while (following := min(missing[way[-1]])) not in way:
        way.append(following)
    return [*way[way.index(following) :], following]
