"""Files of every release so far are read by this one, and go on."""

from __future__ import annotations

import gzip
import sys
from pathlib import Path

import pytest

from wf_notebook import Workflow
from wf_notebook.errors import BadStorage
from wf_notebook.storage import open_storage

DATA = Path(__file__).parents[1] / "data"
FILES = sorted(path.name for path in DATA.glob("release-*.gz"))

sys.path.insert(0, str(DATA))
from contents import STATES  # noqa: E402 - a module beside the files


def shown(state) -> dict:
    """Return a state with arrays and frames as what they print, which compares."""
    return {key: value.to_csv() + str(value.dtypes) if hasattr(value, "to_csv") else repr(value) for key, value in state.items()}


def opened(name: str, folder: Path):
    path = folder / name.removesuffix(".gz")
    path.write_bytes(gzip.decompress((DATA / name).read_bytes()))
    return open_storage(f"{path.suffix[1:]}:///{path}")


def test_there_is_a_file_of_each_kind():
    assert {name.split(".")[-2] for name in FILES} == {"duckdb", "sqlite"}


@pytest.mark.parametrize("name", FILES)
def test_every_version_of_a_session_in_an_old_file_comes_back(name, tmp_path):
    session = opened(name, tmp_path).session("values")
    assert shown(session.state) == shown(STATES[-1])
    assert [shown(session.at(number)) for number in range(1, len(STATES) + 1)] == list(map(shown, STATES))


@pytest.mark.parametrize("name", FILES)
def test_runs_and_sessions_of_an_old_file_are_there_and_it_goes_on(name, tmp_path):
    storage = opened(name, tmp_path)
    assert storage.get_all_session_ids(user_id="ann") == ["runs"]
    session = storage.session("runs")
    assert session.state == {"topic": "cheese"}
    run = storage.run(session.versions()[0].run_id)
    assert (run.status, run.content, run.inputs) == ("completed", "about cheese", {"topic": "cheese"})
    session.state["topic"] = "bread"
    session.save()
    storage = opened_again(storage)
    assert storage.session("runs").state == {"topic": "bread"}
    Writer(session_id="runs", user_id="ann", storage=storage).run()
    assert storage.run(storage.session("runs").versions()[-1].run_id).content == "about bread"


@pytest.mark.parametrize("name", FILES)
def test_a_sweep_goes_on_in_a_session_of_an_old_file(name, tmp_path):
    writer = Writer(session_id="runs", user_id="ann", storage=opened(name, tmp_path))
    assert [row.content for row in writer.map([{}], session="one").result()] == ["about cheese"]
    assert [row.hit for row in writer.map([{}], session="one").result()] == [True]


class Writer(Workflow):
    def run(self):
        self.session_state["written"] = True
        return f"about {self.session_state['topic']}"


def opened_again(storage):
    storage.close()
    return open_storage(storage.url)


def changed(storage, sql: str) -> None:
    def work(tx) -> None:
        tx.rows(sql, ())

    storage.transact(work, write=True)
    storage.close()


@pytest.mark.parametrize("kind", ["duckdb", "sqlite"])
def test_a_file_of_a_newer_release_is_refused_with_the_release_that_wrote_it(kind, tmp_path):
    url = f"{kind}:///{tmp_path}/runs.{kind}"
    storage = open_storage(url)
    storage.session("demo").save()
    changed(storage, "INSERT INTO schema_log VALUES (99, '7.1.0', '2030-01-01 00:00:00')")
    with pytest.raises(
        BadStorage, match=r"was written by wf_notebook 7\.1\.0, which is newer than this one; upgrade wf_notebook"
    ):
        newcomer(url).session("demo").load()


@pytest.mark.parametrize("kind", ["duckdb", "sqlite"])
def test_a_file_from_before_the_first_release_is_refused(kind, tmp_path):
    url = f"{kind}:///{tmp_path}/runs.{kind}"
    storage = open_storage(url)
    storage.session("demo").save()
    changed(storage, "UPDATE schema_log SET migration = 1")
    with pytest.raises(BadStorage, match="was written before the first release, in a form of its own; choose another file"):
        newcomer(url).session("demo").load()


def newcomer(url: str):
    """Return a storage that does not know yet what the file is like."""
    from wf_notebook.storage.duckdb_file import File

    File._files.clear()
    return open_storage(url)
