"""The source of a workflow is kept with its session, as often as it changes."""

from __future__ import annotations

import sys
from types import ModuleType

import pytest

from wf_notebook import Workflow, open_storage
from wf_notebook.source import kept_source


class Blog(Workflow):
    """Says a word."""

    def run(self, topic):
        yield f"{self.session_state.setdefault('said', 'about')} {topic}"


def sources(storage, session="demo"):
    rows = storage.transact(lambda tx: tx.sources(session), write=False)
    return [(name, kept_source(text).body) for name, _, _, _, text in rows]


def test_it_is_kept_once_however_many_runs_and_instances_there_are():
    storage = open_storage("sqlite:///runs.db")
    for n in range(3):
        blog = Blog(session_id="demo", storage=storage)
        blog.run(n).result()
        blog.run(n).result()
    ((name, body),) = sources(storage)
    assert name == "Blog"
    assert body.endswith("yield f\"{self.session_state.setdefault('said', 'about')} {topic}\"")
    assert "from wf_notebook import Workflow" in body
    assert storage.read("SELECT count(*) FROM blob") == [(1,)]


def test_a_changed_source_is_kept_beside_the_one_before(tmp_path, monkeypatch):
    storage = open_storage("memory:")
    said = []
    for word in ("one", "two"):
        file = tmp_path / f"{word}.py"
        file.write_text(f"class Flow(Workflow):\n    def run(self): return '{word}'\n")
        module = ModuleType("flows")
        monkeypatch.setitem(sys.modules, "flows", module)
        exec(
            compile(file.read_text(), str(file), "exec"), vars(module) | {"Workflow": Workflow, "__name__": "flows"}, vars(module)
        )
        flow = module.Flow(session_id="demo", storage=storage)
        said.append(flow.run().content)
    assert said == ["one", "two"]
    assert [body.splitlines()[-1] for _, body in sources(storage)] == [
        "    def run(self): return 'one'",
        "    def run(self): return 'two'",
    ]


def test_a_secret_in_it_is_not_kept(tmp_path, monkeypatch):
    monkeypatch.setenv("MY_API_KEY", "sk-in-the-source")
    file = tmp_path / "flow.py"
    file.write_text("class Flow(Workflow):\n    key = 'sk-in-the-source'\n    def run(self): return 'a'\n")
    module = ModuleType("flows")
    monkeypatch.setitem(sys.modules, "flows", module)
    exec(compile(file.read_text(), str(file), "exec"), vars(module) | {"Workflow": Workflow, "__name__": "flows"}, vars(module))
    storage = open_storage("memory:")
    module.Flow(session_id="demo", storage=storage).run()
    assert "key = '<redacted MY_API_KEY>'" in sources(storage)[0][1]


def test_of_a_private_run_nothing_is_kept():
    storage = open_storage("memory:")
    Blog(session_id="demo", storage=storage, private=True).run("a").result()
    assert sources(storage) == []


@pytest.mark.parametrize("url", ["memory:", "duckdb:///runs.duckdb"])
def test_what_is_purged_takes_its_source_along_and_a_new_run_keeps_it_again(url):
    storage = open_storage(url)
    blog = Blog(session_id="demo", storage=storage)
    blog.run("a").result()
    blog.session.purge()
    assert (sources(storage), storage.read("SELECT count(*) FROM blob")) == ([], [(0,)])
    blog.run("b").result()
    assert len(sources(storage)) == 1
