"""`wf doctor`: what works, and what to do about what does not."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from wf_notebook import open_storage
from wf_notebook.cli.doctor.front_end import EXTENSIONS, front_end
from wf_notebook.cli.doctor.model import model
from wf_notebook.cli.doctor.store import store as look_at_store
from wf_notebook.cli.doctor.versions import package, versions


def states(checks):
    return {each.name: each.state for each in checks}


def test_each_line_has_a_sign_and_each_failure_a_remedy(wf, monkeypatch, tmp_path):
    monkeypatch.setenv("WF_MODELS", str(tmp_path))
    done = wf("doctor")
    lines = [line for line in done.stdout.splitlines() if line.startswith("  ")]
    assert {line.split()[0] for line in lines} == {"✓", "✗"}
    (failed,) = [line for line in lines if "✗" in line]
    assert failed.startswith("  ✗ which            failed: none is used where an agent names none; set WF_MODEL=openai:gpt-5.2")
    assert (done.exit_code, done.stderr) == (1, f"1 of {len(lines)} does not work\n")


def test_as_json_it_is_one_document(wf, store, monkeypatch):
    monkeypatch.setenv("WF_MODEL", "openai:gpt-5.2")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-not-a-real-key")
    done = wf("doctor --json")
    found = json.loads(done.stdout)
    assert done.exit_code == 0
    assert {"about": "store", "name": "place", "state": "ok", "told": store, "remedy": ""} in found
    assert [each["name"] for each in found if each["about"] == "model"] == ["which", "is it there"]
    assert "sk-not-a-real-key" not in done.stdout


def test_what_is_installed_here_is_new_enough():
    assert {each.state for each in versions() if each.name != "wf-notebook"} == {"ok"}


def test_a_package_that_is_too_old_is_told_with_a_remedy():
    found = package("click", "999", needed=True)
    assert (found.state, found.remedy) == ("failed", "pip install -U click")


@pytest.mark.parametrize(
    ("name", "told", "remedy"),
    [
        (
            "openai:gpt-5.2",
            "the model 'openai:gpt-5.2' needs OPENAI_API_KEY, which is not set, or empty",
            "put it into the environment",
        ),
        ("local:smollm2", "the model 'local:smollm2' is not on this machine", "fetch it by `wf models pull smollm2`"),
        ("opnai:gpt-5.2", "no model named 'opnai:gpt-5.2'", "did you mean 'openai:gpt-5.2'?"),
    ],
)
def test_a_model_that_is_not_there_is_told_with_a_remedy(monkeypatch, tmp_path, name, told, remedy):
    monkeypatch.setenv("WF_MODELS", str(tmp_path))
    monkeypatch.setenv("WF_MODEL", name)
    *_, found = model()
    assert (found.name, found.state, found.told, found.remedy) == ("is it there", "failed", told, remedy)


def test_a_file_that_is_no_model_does_not_run(monkeypatch, tmp_path):
    (tmp_path / "mine.gguf").write_bytes(b"no model")
    monkeypatch.setenv("WF_MODELS", str(tmp_path))
    monkeypatch.setenv("WF_MODEL", "local:mine")
    *_, found = model()
    assert found.state == "failed"
    assert found.remedy


def test_a_store_is_read_and_written_and_nothing_in_it_changes(store):
    file = Path(store.partition(":///")[2])
    open_storage(store).close()  # what is in the WAL may be folded into the file at any time
    before = file.read_bytes()
    assert states(look_at_store(store)) == dict.fromkeys(("place", "disk", "read", "write"), "ok")
    assert file.read_bytes() == before


@pytest.mark.postgres
def test_a_server_is_reached_or_not_and_nothing_is_made(postgres):
    url = postgres.schema()
    assert states(look_at_store(url)) == dict.fromkeys(("place", "server", "read", "write"), "ok")
    open_storage(url).session("demo").save()
    *_, read, _ = look_at_store(url)
    assert read.told == "1 session"
    *_, found = look_at_store(url.replace("/postgres?", "/nowhere?"))
    assert (found.name, found.state, found.remedy[:17]) == ("server", "failed", "make it: createdb")


def test_where_there_is_no_store_none_is_made(working_directory):
    assert states(look_at_store()) == {"place": "ok", "write": "ok"}
    assert states(look_at_store("duckdb:///deep/down/runs.duckdb")) == {"place": "ok", "disk": "ok", "write": "ok"}
    assert list(working_directory.iterdir()) == []


def test_where_no_file_can_be_it_says_so():
    *_, found = look_at_store("duckdb:////proc/x/runs.duckdb")
    assert (found.name, found.state, found.remedy) == ("write", "failed", "set WF_STORAGE to a place that can be written")


def test_who_holds_the_store_is_named(store):
    held = f"import duckdb, sys; c = duckdb.connect({store.partition(':///')[2]!r}); print('held', flush=True); sys.stdin.read()"
    with subprocess.Popen([sys.executable, "-c", held], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout.readline() == "held\n"
        *_, found = look_at_store(store)
        other.stdin.close()
    assert (found.name, found.state) == ("held", "failed")
    assert f"PID {other.pid}" in found.told
    assert found.remedy


def test_an_address_that_is_none_is_told(monkeypatch):
    monkeypatch.setenv("WF_STORAGE", "runs.db")
    (found,) = look_at_store()
    assert (found.state, found.told, found.remedy) == (
        "failed",
        "unknown kind of storage in 'runs.db'",
        "write sqlite:///runs.db",
    )


def test_the_front_end_is_whole_here_and_its_lack_is_told(tmp_path):
    assert {each.state for each in front_end()} == {"ok"}
    lost = [each for each in front_end([tmp_path]) if each.name in EXTENSIONS.values()]
    assert [each.state for each in lost] == ["failed", "failed"]
    assert lost[0].remedy == "pip install --force-reinstall anywidget, and load the page again"
    (tmp_path / "anywidget").mkdir()
    (tmp_path / "anywidget" / "package.json").write_text("{", encoding="utf-8")
    assert "cannot be read" in next(each for each in front_end([tmp_path]) if each.name == "anywidget").told
