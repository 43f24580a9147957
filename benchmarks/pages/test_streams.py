"""Streams played in a real page, and what it cost; run by `make bench-live`, not by the tests."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path
from time import monotonic

import pytest

import wf_notebook
from benchmarks.pages.notebook import Notebook

SETUP = """\
%load_ext wf_notebook
%config WorkflowMagics.storage = 'memory:'
import time, resource
from IPython.display import DisplayHandle, HTML, display
import ipywidgets
from markdown_it import MarkdownIt
from wf_notebook import *

def chunks(count, unit, per_second):
    began = time.perf_counter()
    for n in range(count):
        yield unit(n)
        ahead = (n + 1) / per_second - (time.perf_counter() - began)
        if ahead > 0.002:
            time.sleep(ahead)

def prose(n):
    words = f"word{n} "
    return words + ("**bold** and `code`.\\n\\n" if n % 60 == 59 else "")

def listed(n): return f"- item{n} of the list\\n"
def tabled(n): return ("| a | b |\\n|---|---|\\n" if n == 0 else "") + f"| row{n} | value |\\n"
def coded(n): return ("```python\\n" if n == 0 else "") + f"x{n} = {n} + 1  # a line\\n"

class Stream(Workflow):
    def run(self, count, unit, lanes=1, per_second=1000):
        if lanes == 1:
            yield from chunks(count, unit, per_second)
        else:
            yield from parallel(*(named(n, count, unit, per_second) for n in range(lanes)))

def named(n, count, unit, per_second):
    def stream():
        yield from chunks(count, unit, per_second)
    stream.__name__ = f"lane{n}"
    return stream()

def at_most(pause, texts, show):
    text, last = "", 0.0
    for piece in texts:
        text += piece
        if time.perf_counter() - last >= pause:
            show(text)
            last = time.perf_counter()
    show(text)

def updated_display(texts):
    handle, render = display(HTML(""), display_id=True), MarkdownIt("commonmark", {"html": False}).render
    at_most(0.05, texts, lambda text: handle.update(HTML(render(text))))

def html_widget(texts):
    widget, render = ipywidgets.HTML(), MarkdownIt("commonmark", {"html": False}).render
    display(widget)
    at_most(0.05, texts, lambda text: setattr(widget, "value", render(text)))

def printed(texts):
    for piece in texts:
        print(piece, end="", flush=True)

class Timed:
    def __enter__(self):
        self.cpu, self.wall = time.process_time(), time.perf_counter()
    def __exit__(self, *_):
        with open("timed.txt", "w") as file:  # what is printed may be lost
            print(time.process_time() - self.cpu, time.perf_counter() - self.wall, file=file)
"""
WAYS = {
    "wf_notebook": "with Timed():\n    stream = Stream(session_id='s').run(count={count}, unit={unit})\n    display(stream)",
    "update_display": "with Timed():\n    updated_display(chunks({count}, {unit}, 1000))",
    "ipywidgets.HTML": "with Timed():\n    html_widget(chunks({count}, {unit}, 1000))",
    "print": "with Timed():\n    printed(chunks({count}, {unit}, 1000))",
}


Streams = partial(Notebook, setup=SETUP)


def played(noted, page, work, way, words, number):
    """Play a cell, and note what it took until all of its text was there."""
    cell = page.run(number)
    ended = monotonic()
    outputs = cell.locator(".jp-OutputArea")
    last = words[-1]
    try:
        page.page.wait_for_function(
            "([cell, last]) => document.querySelectorAll('.jp-CodeCell')[cell].querySelector('.jp-OutputArea').textContent"
            ".includes(last)",
            arg=[number, last],
            timeout=20_000,
        )
        behind = monotonic() - ended
    except Exception:  # noqa: BLE001 - some of it was lost
        behind = float("nan")
    text = outputs.first.evaluate("output => output.textContent")  # a record folds its lanes
    there = set(re.findall(r"\b(?:word|item|row|x)\d+\b", text))
    shown = sum(word in there for word in words) / len(words)
    longest = page.page.evaluate("window.longest")
    noted.note(work, way, shown=shown, sent=page.sent, cpu=page.told()[0], longest=longest, behind=behind)


def test_one_lane(noted, page, jupyter_lab):
    count = 300 if noted.quick else 10_000
    cells = [source.format(count=count, unit="prose") for source in WAYS.values()]
    notebook = Streams(page, jupyter_lab, "one.ipynb", *cells)
    for number, way in enumerate(WAYS, start=1):
        played(noted, notebook, f"{count:,} chunks at 1000/s", way, [f"word{n}" for n in range(count)], number)


def test_four_lanes(noted, page, jupyter_lab):
    count = 300 if noted.quick else 10_000
    cell = f"with Timed():\n    display(Stream(session_id='s').run(count={count}, unit=prose, lanes=4))"
    notebook = Streams(page, jupyter_lab, "four.ipynb", cell)
    played(noted, notebook, f"4 lanes × {count:,} chunks at 1000/s", "wf_notebook", [f"word{n}" for n in range(count)], 1)


@pytest.mark.parametrize(("unit", "word", "size"), [("listed", "item", 22), ("tabled", "row", 20), ("coded", "x", 24)])
def test_one_unbroken_block(noted, page, jupyter_lab, unit, word, size):
    count = 100 if noted.quick else 100_000 // size
    cell = WAYS["wf_notebook"].format(count=count, unit=unit)
    notebook = Streams(page, jupyter_lab, f"{unit}.ipynb", cell)
    what = {"listed": "list", "tabled": "table", "coded": "block of code"}[unit]
    played(
        noted,
        notebook,
        f"one unbroken {what} of {count * size // 1000} KB",
        "wf_notebook",
        [f"{word}{n}" for n in range(count)],
        1,
    )


def test_stop(noted, page, jupyter_lab):
    cell = "%%workflow stops\nclass Stops(Workflow):\n    def run(self):\n        yield 'part'\n        time.sleep(60)\n"
    notebook = Streams(page, jupyter_lab, "stop.ipynb", *[cell] * (1 if noted.quick else 7))
    waits = []
    for number in range(1, 2 if noted.quick else 8):
        shown = notebook.start(number)
        stop = shown.get_by_role("button", name="Stop")
        stop.wait_for()
        waits.append(
            page.evaluate(
                """number => new Promise(done => {
                    const cell = document.querySelectorAll(".jp-CodeCell")[number], began = performance.now();
                    const look = () => cell.textContent.includes("RunStopped: ")
                        ? done(performance.now() - began) : requestAnimationFrame(look);
                    cell.querySelector(".wf-live-stop").click();
                    look();
                })""",
                number,
            )
        )
    noted.tell("Stop to stopped in a cell that sleeps, median", f"{sorted(waits)[len(waits) // 2]:.0f} ms", "≤ 250 ms")


def test_with_and_without(noted, page, jupyter_lab):
    count = 50 if noted.quick else 1000
    run = f"stream = Stream(session_id='s').run(count={count}, unit=prose, per_second=100)"
    cells = [f"with Timed():\n    {run}\n    {end}" for end in ("display(stream)", "for _ in stream: pass")]
    notebook = Streams(page, jupyter_lab, "without.ipynb", *cells)
    walls = []
    for number in (1, 2):
        notebook.run(number)
        walls.append(notebook.told()[1])
    noted.tell(f"{count} chunks at 100/s with the live output, against without", f"{walls[0] / walls[1]:.3f}×", "≤ 1.1×")


def test_size(noted):
    static = Path(wf_notebook.__file__).parent / "notebook" / "static"
    size = sum((static / name).stat().st_size for name in ("live.js", "live.css"))
    noted.tell("script and styles of the live output", f"{size / 1000:.1f} KB", "≤ 30 KB")
