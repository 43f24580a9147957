"""The inspector, used in a real page, and what it took; run by `make bench-inspector`, not by the tests."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from statistics import median
from time import monotonic, sleep

import pytest

from benchmarks.pages.notebook import Notebook
from wf_notebook.notebook.inspecting import joined, styles

SETUP = """\
%load_ext wf_notebook
import os, time
from wf_notebook import inspector, open_storage"""

#: A state of ten megabytes: a list of 100 000 dicts in one key, and a search's results in twenty others.
LARGE = """\
import sys
from wf_notebook import open_storage
items, versions, file = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
with open_storage(f"duckdb:///{file}") as storage:
    session = storage.session("large")
    session.state["many"] = [{"n": number} for number in range(items)]
    for key in range(20):
        text = f"what a search says in a sentence or two that nobody reads to their end, of key {key} " * 5
        session.state[f"key_{key:02d}"] = [f"{text} number {number}" for number in range(items // 120)]
    session.state["last"] = "the needle"
    session.save()
    for number in range(versions):
        session.state["counter"] = number
        session.save()
"""
#: Clicks, types or slides, and gives the milliseconds until the page shows what it should.
TIMED = """([what, until]) => new Promise((done, failed) => {
    const root = document.querySelector(".wf-inspector"), shown = new Function("root", `return ${until}`);
    window.longest = 0;
    const began = performance.now();
    new Function("root", what)(root);
    const look = () => {
        if (shown(root)) done([performance.now() - began, window.longest]);
        else if (performance.now() - began > 60000) failed(new Error(`not shown: ${until}`));
        else requestAnimationFrame(look);
    };
    look();
})"""


@pytest.fixture(scope="module")
def large_store(tmp_path_factory):
    """Return the folder of a store with 1000 sessions, 100k runs and 1M events."""
    return tmp_path_factory.mktemp("large") / "runs.duckdb"


def timed(page, what, until):
    """Return the milliseconds from what is done to what is shown, and those of the longest task of the page after it."""
    took, _ = page.evaluate(TIMED, [what, until])
    page.wait_for_timeout(300)  # a long task is told after it
    return took, page.evaluate("window.longest")


def tell(noted, what, values, target=300):
    """Note what one thing took: the median, and the longest task of all."""
    took, longest = zip(*values, strict=True)
    noted.tell(what, f"{median(took):.0f} ms, longest task {max(longest):.0f} ms", f"≤ {target} ms, no task over 100 ms")


def test_open_the_large_store(noted, page, jupyter_lab, large_store):
    sessions = 20 if noted.quick else 1000
    sys.path.insert(0, str(Path(__file__).parent.parent / "measures"))
    from filled import filled

    filled("duckdb", str(large_store), sessions).close()
    cell = f"storage = open_storage('duckdb:///{large_store}')\ninspector(storage)"
    notebook = Notebook(page, jupyter_lab, "store.ipynb", *[cell] * 3, setup=SETUP)
    took, sent = [], []
    for number in (1, 2, 3):
        began = monotonic()
        notebook.start(number).locator(".wfi-session").first.wait_for()
        took.append(monotonic() - began)
        sleep(1)
        sent.append(notebook.sent)
    noted.tell(f"open on {sessions} sessions, {sessions * 100:,} runs: first rows", f"{median(took) * 1e3:.0f} ms", "≤ 1000 ms")
    noted.tell("what came to the page for it", f"{median(sent) / 1e3:.0f} KB", "≤ 300 KB")


def test_a_large_state(noted, page, jupyter_lab, tmp_path):
    items, versions = (1000, 20) if noted.quick else (100_000, 1000)
    file = tmp_path / "large.duckdb"
    subprocess.run([sys.executable, "-c", LARGE, str(items), str(versions), str(file)], check=True)
    setup = f"{SETUP}\nfrom wf_notebook import open_storage\nstorage = open_storage('duckdb:///{file}')"
    notebook = Notebook(page, jupyter_lab, "state.ipynb", "inspector(storage)", setup=setup)
    notebook.run(1)
    page.locator(".wfi-session").first.wait_for()
    tree = "root.querySelectorAll('[role=treeitem]').length"
    opened = timed(page, "root.querySelector('.wfi-session').click()", f"{tree} > 10")
    tell(noted, "open a state of 10 MB", [opened])
    slides = []
    slider = "root.querySelector('input[type=range]')"
    counter = "[...root.querySelectorAll('[role=treeitem]')].find(node => node.textContent.startsWith('counter'))"
    for number in (2, versions // 2, versions, 3, versions - 1):
        go = f"const it = {slider}; it.value = {number}; it.dispatchEvent(new Event('input', {{ bubbles: true }}))"
        slides.append(timed(page, go, f"{counter}?.textContent.endsWith('{number - 2}')"))
    tell(noted, f"slide over {versions} versions of it", slides)
    many = "[...root.querySelectorAll('[role=treeitem]')].find(node => node.textContent.startsWith('many'))"
    expand = f"{many}.focus(); {many}.dispatchEvent(new KeyboardEvent('keydown', {{ key: 'ArrowRight', bubbles: true }}))"
    expanded = timed(page, expand, f"{many}.getAttribute('aria-expanded') === 'true' && {tree} > 24")
    tell(noted, f"expand a list of {items:,} items", [expanded])
    search = "const it = root.querySelector('input.wfi-find'); it.value = 'needle'"
    found = timed(page, f"{search}; it.dispatchEvent(new Event('input', {{ bubbles: true }}))", "root.querySelector('.wfi-hit')")
    tell(noted, "search in it: first hits", [found])


def test_a_save_elsewhere(noted, page, jupyter_lab, tmp_path):
    file = tmp_path / "shared.duckdb"
    seconds = 2 if noted.quick else 20
    save = (
        "import sys, time; from wf_notebook import open_storage\n"
        f"session = open_storage('duckdb:///{file}').session('demo')\n"
        "session.state['n'] = 'start'; session.save()\n"
        "for line in sys.stdin:\n    session.state['n'] = line.strip(); session.save(); print('saved', flush=True)"
    )
    with subprocess.Popen([sys.executable, "-c", save], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        while not file.exists():
            sleep(0.05)
        setup = f"{SETUP}\nstorage = open_storage('duckdb:///{file}')\nopen('pid.txt', 'w').write(str(os.getpid()))"
        notebook = Notebook(page, jupyter_lab, "shared.ipynb", "inspector(storage, session='demo')", setup=setup)
        notebook.run(1)
        page.locator(".wf-inspector").get_by_role("treeitem").filter(has_text="start").wait_for()
        took = []
        for number in range(3 if noted.quick else 15):
            sleep(0.5 + number % 7 * 0.09)
            other.stdin.write(f"value{number}\n")
            other.stdin.flush()
            other.stdout.readline()
            began = monotonic()
            page.locator(".wf-inspector").get_by_role("treeitem").filter(has_text=f"value{number}").wait_for()
            took.append(monotonic() - began)
        other.stdin.close()
    noted.tell(
        "a save in another process to its appearance, median and longest",
        f"{median(took) * 1e3:.0f}, {max(took) * 1e3:.0f} ms",
        "≤ 1000 ms",
    )
    pid = int((jupyter_lab.root / "pid.txt").read_text())
    sleep(2)
    before = cpu(pid)
    sleep(seconds)
    noted.tell("kernel while nothing happens", f"{(cpu(pid) - before) / seconds:.1%} of a core", "≤ 2 %")


def cpu(pid):
    """Return the seconds of a core that a process used so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_size(noted):
    size = len(joined().encode()) + len(styles().encode())
    noted.tell("script and styles of the inspector", f"{size / 1000:.1f} KB", "≤ 60 KB")
