"""A notebook is run again in a real kernel: nothing is paid for twice, and only what changed is written."""

from __future__ import annotations

import asyncio
import json
import os
import sys

import nbformat
import pytest

from wf_notebook.errors import BadNotebook, BadSetting, CellFailed, KernelFailed, MissingPart, OutputsDiffer, UnwritableFile
from wf_notebook.ipynb.rerunning import rerun

pytestmark = pytest.mark.slow

CELLS = (
    "%load_ext wf_notebook\nfrom wf_notebook import Agent, Workflow, step\nfrom wf_notebook.testing import scripted",
    """%%workflow blog topic="cheese"
class Blog(Workflow):
    cache = "use"
    writer = Agent(scripted("Brie is soft.", "Gouda is not."), name="writer")

    @step
    def outline(self, topic):
        return [topic, topic.upper()]

    def run(self, topic):
        yield from self.writer.run(f"Write about {self.outline(topic)}.", stream=True)
""",
    "quiet = blog.run('cheese').result()",
    "import sys\nprint('on', end='', flush=True); print('e', flush=True); print('two', file=sys.stderr)\nlen(quiet.content)",
)


def written(path, *sources, tags=(), kernel="python3", indent=2):
    """Write a notebook of these code cells, as no program of Jupyter lays it out; the last cell has the tags."""
    made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in sources])
    made.metadata.kernelspec = {"name": kernel, "display_name": "Python 3", "language": "python"}
    made.cells[-1].metadata.tags = list(tags)
    path.write_text(json.dumps(made, indent=indent) + "\n\n", encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def first(tmp_path_factory):
    """Return a notebook that was run once, what came of that, and what was told meanwhile."""
    path = written(tmp_path_factory.mktemp("notebook") / "walk.ipynb", *CELLS)
    (path.parent / ".workflows").mkdir()
    told = []
    return path, rerun(path, tell=lambda cell: told.append(str(cell))), told


def edited(first, tmp_path, old, new):
    """Write a copy of the notebook, beside the store that was filled, with a text replaced."""
    text = first[0].read_text(encoding="utf-8")
    assert old in text
    path = first[0].with_name(f"{tmp_path.name}.ipynb")
    path.write_text(text.replace(old, new), encoding="utf-8")
    return path


def test_the_first_run_asks_the_model_once_and_says_so_cell_by_cell(first):
    path, result, told = first
    assert (result.requests, result.hits, result.written, len(result.cells)) == (1, 2, True, 4)
    assert [cell.requests for cell in result.cells] == [0, 1, 0, 0]
    assert [line[:7] for line in told] == ["✓ 1/4  ", "● 2/4  ", "✓ 3/4  ", "✓ 4/4  "]
    assert '%%workflow blog topic="cheese"' in told[1]
    assert "the model was asked 1 time" in told[1]
    assert "2 steps from the store" in told[2]
    assert str(result).startswith("4 cells run in ")
    assert result.to_dict()["cells"][1]["requests"] == 1
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    assert [cell["execution_count"] for cell in cells] == [None, 2, None, 4]
    assert "Brie is soft." in cells[1]["outputs"][0]["data"]["text/plain"][2]
    assert [output.get("name") for output in cells[3]["outputs"]] == ["stdout", "stderr", None]
    assert cells[1]["outputs"][0]["metadata"]["wf_notebook"]["status"] == "completed"
    assert path.read_text(encoding="utf-8").startswith('{\n  "')


def test_a_rerun_with_all_from_the_store_leaves_the_file_byte_for_byte_and_asks_nobody(first):
    path, *_ = first
    before, stat = path.read_bytes(), path.stat()
    result = rerun(path)
    assert path.read_bytes() == before
    assert (path.stat().st_ino, path.stat().st_mtime_ns) == (stat.st_ino, stat.st_mtime_ns)
    assert (result.requests, result.hits, result.written, result.changed) == (0, 4, False, ())
    assert "none changed" in str(result)
    assert "no model was asked" in str(result)


def test_a_check_that_finds_nothing_passes_and_one_that_finds_something_says_what_and_writes_nothing(first, tmp_path):
    result = rerun(first[0], check=True)
    assert (result.check, result.differences, result.requests) == (True, (), 0)

    path = edited(first, tmp_path, '"one\\n"', '"none\\n"')
    before = path.read_bytes()
    with pytest.raises(OutputsDiffer, match=r"the output of cell 4 is not what .* has; `wf rerun` without --check") as differ:
        rerun(path, check=True)
    assert differ.value.__notes__ == ["cell 4, import sys\n    stdout\n    - none\n    + one"]
    assert differ.value.rerun.differences[0].number == 4
    assert path.read_bytes() == before


def test_a_check_fails_where_a_model_would_be_asked_with_the_step_and_the_remedy(first, tmp_path):
    path = edited(first, tmp_path, "Write about", "Write a poem about")
    before = path.read_bytes()
    with pytest.raises(CellFailed) as failed:
        rerun(path, check=True)
    told = str(failed.value)
    assert told.startswith("cell 2 of 4, %%workflow blog topic=\"cheese\": CacheMiss: agent 'writer' is not remembered: ")
    assert told.endswith("; `wf rerun` without --check asks the model")
    assert "\n" not in told
    assert failed.value.rerun.requests == 0
    assert path.read_bytes() == before


def test_a_fresh_rerun_asks_again_also_what_the_code_says_is_used(first, tmp_path):
    path = edited(first, tmp_path, "Brie is soft.", "Brie is soft!")
    result = rerun(path, fresh=True)
    assert (result.requests, result.hits, result.fresh) == (2, 0, True)
    with pytest.raises(BadSetting, match="write one of them"):
        rerun(path, fresh=True, check=True)


def test_a_cell_that_fails_ends_it_with_its_error_and_nothing_is_written(tmp_path):
    path = written(tmp_path / "fails.ipynb", "print(1)", "1 / 0", "open('ran', 'w')")
    before, told = path.read_bytes(), []
    with pytest.raises(CellFailed, match=r"cell 2 of 3, 1 / 0: ZeroDivisionError: division by zero; the notebook is as it was"):
        rerun(path, tell=lambda cell: told.append(str(cell)))
    assert path.read_bytes() == before
    assert not (tmp_path / "ran").exists()
    assert told[1].startswith("✗ 2/3  1 / 0")
    assert told[1].endswith("ZeroDivisionError: division by zero")


def test_a_cell_may_fail_or_be_left_out_where_its_tag_says_so(tmp_path):
    path = written(tmp_path / "tagged.ipynb", "", "1 / 0", tags=["raises-exception"])
    result = rerun(path)
    assert [(cell.number, cell.of, cell.error) for cell in result.cells] == [(1, 1, "ZeroDivisionError: division by zero")]


def test_a_volatile_cell_is_not_compared_also_where_a_loop_runs_as_in_a_notebook(tmp_path):
    path = written(tmp_path / "volatile.ipynb", "import time; time.time()", tags=["volatile"])
    assert rerun(path).written

    async def check():
        return rerun(path, check=True)

    assert asyncio.run(check()).differences == ()


def test_a_notebook_that_changes_while_it_runs_stays_as_it_is_then(tmp_path):
    source = "import os\nfile = open(os.environ['JPY_SESSION_NAME'], 'a')\nfile.write(' ')\nfile.close()"
    path = written(tmp_path / "edits.ipynb", f"print(1)\n{source}")
    before = path.read_bytes()
    with pytest.raises(UnwritableFile, match="was changed while it ran"):
        rerun(path)
    assert path.read_bytes() == before + b" "


def test_a_kernel_that_dies_and_a_cell_that_takes_too_long_are_told(tmp_path):
    path = written(tmp_path / "dies.ipynb", "import os\nos._exit(3)")
    with pytest.raises(CellFailed, match=r"cell 1 of 1, import os: its kernel died; the notebook is as it was"):
        rerun(path)
    written(path, "import time\ntime.sleep(60)")
    with pytest.raises(CellFailed, match="cell 1 of 1, import time: it took longer than 1 s"):
        rerun(path, timeout=1)


def test_an_interrupt_ends_it_and_nothing_is_written(tmp_path):
    path = written(
        tmp_path / "interrupted.ipynb",
        "print(1)",
        "import os, signal, time\nos.kill(os.getppid(), signal.SIGINT)\ntime.sleep(60)",
    )
    before = path.read_bytes()
    with pytest.raises(KeyboardInterrupt):
        rerun(path)
    assert path.read_bytes() == before


def test_what_is_missing_is_told_with_how_to_get_it(tmp_path, monkeypatch):
    path = written(tmp_path / "walk.ipynb", "1", kernel="julia-1.9")
    with pytest.raises(MissingPart, match=r"asks for the kernel 'julia-1.9', which is not installed; .*ipykernel install --user"):
        rerun(path)
    spec = tmp_path / "kernels" / "broken"
    spec.mkdir(parents=True)
    failing = [sys.executable, "-c", "import sys; sys.exit('no such device')", "{connection_file}"]
    (spec / "kernel.json").write_text(json.dumps({"argv": failing, "display_name": "Broken", "language": "python"}))
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
    with pytest.raises(KernelFailed, match="the kernel 'broken' did not start: no such device"):
        rerun(written(path, "1", kernel="broken"))
    monkeypatch.setitem(sys.modules, "nbclient", None)
    with pytest.raises(MissingPart, match=r'needs nbclient: pip install "wf-notebook\[lab\]"'):
        rerun(path)
    with pytest.raises(BadNotebook, match="there is no notebook"):
        rerun(tmp_path / "none.ipynb")


def test_a_notebook_that_may_not_be_written_is_refused_before_it_runs(tmp_path, monkeypatch):
    path = written(tmp_path / "walk.ipynb", "open('ran', 'w')")
    access = os.access
    monkeypatch.setattr(os, "access", lambda place, mode: mode != os.W_OK and access(place, mode))  # root may all
    with pytest.raises(UnwritableFile, match="may not be written; make it writable, or only compare: --check"):
        rerun(path)
    assert not (tmp_path / "ran").exists()
