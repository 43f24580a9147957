"""Measure us beside others: `make bench`, or `make bench ONLY=stream` for the measures whose names begin so."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console

from . import environments, results
from .table import MEASURES, PEERS

if TYPE_CHECKING:
    from .measure import Measure, Side

HERE = Path(__file__).parent


def main(given: list[str] | None = None) -> None:
    """Measure, show the table, and write it."""
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    parser.add_argument("--only", default="", help="the measures whose names begin so")
    parser.add_argument("--repetitions", type=int, default=5)
    parser.add_argument(
        "--quick", action="store_true", help="only try that all of it works: tiny counts, no peers, nothing written"
    )
    options = parser.parse_args(given)
    chosen = [measure for measure in MEASURES if measure.key.startswith(options.only)]
    if not chosen:
        parser.error(f"no measure begins with {options.only!r}; there are {', '.join(m.key for m in MEASURES)}")
    peers = {side.peer for measure in chosen for side in measure.sides if side.peer}
    for peer in PEERS:
        if peer in peers and not options.quick:
            environments.make(peer)
    repetitions = 1 if options.quick else options.repetitions
    console = Console()
    rows: list[tuple[str, ...]] = []
    runs = Runs(quick=options.quick)
    for measure in chosen:
        console.print(f"  {measure.key}", style="dim")
        values = runs.measured(measure, min(repetitions, measure.repetitions))
        rows.append(results.row(measure, values))
    console.print(results.printed(rows, title="only tried: these numbers say nothing" if options.quick else None))
    if not options.quick:
        file = HERE / "RESULTS.md"
        before = file.read_text(encoding="utf-8") if file.exists() else ""
        file.write_text(results.markdown(results.together(MEASURES, rows, before), repetitions), encoding="utf-8")


class Runs:
    """The runs of scripts, each in a fresh process; when only tried, we stand in for the peers, and nothing is tried twice."""

    def __init__(self, *, quick: bool) -> None:
        self._quick = quick
        #: What scripts said that say several things, or are only tried, by side without its part, in each repetition.
        self._said: dict[tuple[Side, int], Any] = {}

    def measured(self, measure: Measure, repetitions: int) -> dict[str, list[float]]:
        """Return the values of each side; in each repetition the sides take turns."""
        values: dict[str, list[float]] = {side.name: [] for side in measure.sides}
        for repetition in range(repetitions):
            for side in measure.sides:
                stand_in = measure.sides[0] if self._quick and side.peer else side
                values[side.name].append(self._value(stand_in, repetition))
        return values

    def _value(self, side: Side, repetition: int) -> float:
        if side.part is None and not self._quick:
            return float(run(side, quick=False))
        key = replace(side, name="", part=None, count=side.quick if self._quick else side.count), repetition
        if key not in self._said:
            self._said[key] = run(side, quick=self._quick)
        return float(self._said[key] if side.part is None else self._said[key][side.part])


def run(side: Side, *, quick: bool) -> Any:
    """Run the script of a side in a fresh process, and return what it measured."""
    script = HERE / "measures" / f"{side.script}.py"
    command: list[str | Path] = [environments.python(side.peer), script, *side.given, str(side.quick if quick else side.count)]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    if side.peer is None:
        environment["PYTHONPATH"] = str(HERE.parent)  # this folder, whichever one is installed
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True, env=environment)
    return json.loads(done.stdout.splitlines()[-1])


if __name__ == "__main__":
    main()
