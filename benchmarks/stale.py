"""Ask of caches whether what they give is right: `make bench-cache`, or `make bench-cache ONLY=helper` for some of the probes.

The programs and edits lie in `benchmarks/probes`: the same for all sides, each side as its own documentation says. The table is
written into CACHE.md.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

from . import environments
from .table import PEERS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

HERE = Path(__file__).parent
PROBES = HERE / "probes"
#: By the name of the peer, what it is in the table.
SIDES = {
    "ours": "ours",
    "joblib": "joblib",
    "diskcache": "diskcache",
    "marimo": "marimo",
    "langgraph": "LangGraph",
}
WAYS = ("module", "cells")
RIGHT, STALE, MISS, NOT = "✓", "✗", "○", "–"

#: What a side told of a program in each process: for each call what it gave and whether its body was run, else an error.
Told = list[Any]


@dataclass(frozen=True)
class Probe:
    """A program, an edit of it, and the processes (from 1) in which it must be found."""

    name: str
    program: str
    before: str
    after: str
    hits: tuple[int, ...]

    def files(self, process: int) -> dict[str, str]:
        """Return the files of the program in one of its processes; in the third it is edited."""
        text = self.program.replace(self.before, self.after, 1) if process == EDITED and self.before else self.program
        steps, _, helpers = text.partition("# helpers\n")
        return {"steps.py": steps, **({"helpers.py": helpers} if helpers else {})}


PROCESSES, EDITED = 4, 3


def probes(text: str) -> list[Probe]:
    r"""Return the probes of a list.

    >>> probes("## body\ndef work(): return 1\nedit: 1 → 2\nhits: 2\n")
    [Probe(name='body', program='def work(): return 1\n', before='1', after='2', hits=(2,))]
    """
    found = []
    for one in text.partition("## ")[2].split("\n## "):
        name, _, rest = one.partition("\n")
        program, _, hits = rest.rpartition("hits: ")
        program, _, edit = program.partition("edit: ")
        before, _, after = (side.replace("\\n", "\n") for side in edit.removesuffix("\n").partition(" → "))
        assert before in program, name
        found.append(Probe(name, program, before, after, tuple(map(int, hits.split()))))
    return found


def told_by(side: str, way: str, asked: Iterable[Probe]) -> dict[str, Told]:
    """Return what a side tells of each probe, in one process after the other."""
    told: dict[str, Told] = {probe.name: [] for probe in asked}
    script = [str(environments.python(side if side in PEERS else None)), str(PROBES / "play.py"), side, way]
    with TemporaryDirectory() as folder:
        for process in range(1, PROCESSES + 1):
            environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "WF_"))}
            environment |= {"PYTHONHASHSEED": str(process), "HOME": folder}
            if side not in PEERS:
                environment["PYTHONPATH"] = str(HERE.parent)
            programs = {probe.name: probe.files(process) for probe in asked}
            done = subprocess.run(
                [*script, str(Path(folder) / "programs")],
                input=json.dumps(programs),
                env=environment,
                capture_output=True,
                text=True,
                timeout=300,
                check=False,
            )
            if done.returncode:
                raise RuntimeError(f"{side} in {way}: {done.stderr}")
            for name, said in json.loads(done.stdout.splitlines()[-1]).items():
                told[name].append(said)
    return told


def verdict(probe: Probe, told: Told, truth: Told) -> tuple[str, str]:
    """Return a sign, and the reason where it is not possible; `truth` is what is told where nothing is remembered.

    >>> probe = Probe("body", "", "", "", (2,))
    >>> verdict(probe, [[["1", True]], [["1", False]]], [[["1", True]], [["1", True]]])
    ('✓', '')
    >>> verdict(probe, [[["1", True]], [["1", True]]], [[["1", True]], [["1", True]]])
    ('○', '')
    >>> verdict(probe, [[["1", True]], [["1", False]]], [[["1", True]], [["2", True]]])
    ('✗', '')
    """
    for said, right in zip(told, truth, strict=True):
        if isinstance(said, str):
            return NOT, said
        for (gave, _), (true, _) in zip(said, right, strict=True):
            if gave != true and _is_error(gave):
                return NOT, gave
    if any(
        gave != true for said, right in zip(told, truth, strict=True) for (gave, _), (true, _) in zip(said, right, strict=True)
    ):
        return STALE, ""
    again = any(was_run for number in probe.hits if number <= len(told) for _, was_run in told[number - 1])
    return (MISS, "") if again else (RIGHT, "")


def _is_error(gave: str) -> bool:
    name, colon, _ = gave.partition(": ")
    return bool(colon) and name.isidentifier()


@dataclass
class Verdicts:
    """The signs of all probes: one for each side and way."""

    signs: dict[str, dict[str, dict[str, str]]] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)

    def take(self, probe: Probe, side: str, way: str, found: tuple[str, str]) -> None:
        """Note a sign."""
        sign, reason = found
        self.signs.setdefault(probe.name, {}).setdefault(side, {})[way] = sign
        if reason:
            said = " ".join(reason.split())
            self.reasons[f"{probe.name} · {SIDES[side]}, {way}"] = said if len(said) <= 160 else said[:159] + "…"  # noqa: PLR2004 - as many as a line has room for

    def rows(self) -> list[tuple[str, ...]]:
        """Return a row for each probe, and one of how many are right."""
        sides = list(next(iter(self.signs.values())))
        rows = [(name, *(_cell(signs[side]) for side in sides)) for name, signs in self.signs.items()]
        return [*rows, (f"right, of {len(rows)}", *(_cell(self._right(side)) for side in sides))]

    def _right(self, side: str) -> dict[str, str]:
        return {way: str(sum(signs[side][way] == RIGHT for signs in self.signs.values())) for way in WAYS}


def _cell(by_way: Mapping[str, str]) -> str:
    different = list(dict.fromkeys(by_way.values()))
    return " / ".join(by_way.values()) if len(different) > 1 else different[0]


def main(given: list[str] | None = None) -> int:
    """Ask all, show the table, and write it; return how many of ours are not right."""
    parser = argparse.ArgumentParser(prog="benchmarks.stale", description=__doc__)
    parser.add_argument("--only", default="", help="the probes whose names have this in them")
    parser.add_argument("--quick", action="store_true", help="only ourselves, and nothing is written")
    options = parser.parse_args(given)
    asked = [probe for probe in probes((PROBES / "programs.txt").read_text(encoding="utf-8")) if options.only in probe.name]
    if not asked:
        parser.error(f"no probe has {options.only!r} in its name")
    sides = ["ours"] if options.quick else list(SIDES)
    console, verdicts = Console(), Verdicts()
    truth = told_by("plain", "module", asked)
    for side in sides:
        if side in PEERS:
            environments.make(side)
        for way in WAYS:
            console.print(f"  {side}, {way}", style="dim")
            told = told_by(side, way, asked)
            for probe in asked:
                verdicts.take(probe, side, way, verdict(probe, told[probe.name], truth[probe.name]))
    table = Table("what is edited or asked", *(SIDES[side] for side in sides))
    for row in verdicts.rows():
        table.add_row(*row)
    console.print(table)
    for where, reason in verdicts.reasons.items():
        console.print(f"– {where}: {reason}", markup=False, highlight=False)
    if not options.only and not options.quick:
        (HERE / "CACHE.md").write_text(markdown(verdicts), encoding="utf-8")
    return sum(sign != RIGHT for signs in verdicts.signs.values() for sign in signs["ours"].values())


def markdown(verdicts: Verdicts) -> str:
    """Return CACHE.md."""
    names = [PEERS[side][0].replace("==", " ") for side in SIDES if side in PEERS]
    machine = f"{platform.system()}, Python {platform.python_version()}"
    lines = [
        "# Is what a cache gives right?",
        "",
        f"Written by `make bench-cache` on {datetime.now(UTC).date()}: {machine}, wf-notebook {version('wf-notebook')}",
        f"beside {', '.join(names)}, each in an environment of its own.",
        "",
        "Each program is played in four processes that follow one another and share what is remembered: as it is, again,",
        f"edited, and as it was. {RIGHT} what came back is right, and nothing was run that need not be · {STALE} stale: what",
        f"came back is what the program gave before, or what another argument gave · {MISS} right, and run again needlessly ·",
        f"{NOT} not possible (why: below). Where functions in a module and in the cells of a notebook differ, both are told, in",
        "this order.",
        "",
        "The programs are in `probes/programs.txt`, how each side is used in `probes/play.py`: ours is `@step` in a workflow",
        'with `cache="use"`, joblib `Memory.cache`, diskcache `memoize(typed=True)`, marimo `persistent_cache` (its cells are',
        "those of a marimo notebook; in a module, it says, its behaviour may be undefined), LangGraph `@task` with a",
        "`CachePolicy` and its SQLite cache.",
        "",
        "| what is edited or asked | " + " | ".join(SIDES.values()) + " |",
        "|---|" + ":-:|" * len(SIDES),
        *("| " + " | ".join(row) + " |" for row in verdicts.rows()),
    ]
    if verdicts.reasons:
        lines += [
            "",
            "Not possible:",
            "",
            *(f"- {where}: `{reason.replace('`', chr(39))}`" for where, reason in verdicts.reasons.items()),
        ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
