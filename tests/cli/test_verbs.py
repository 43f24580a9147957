"""The verbs of %wf as commands: the same words and options, tables for people and JSON for programs."""

from __future__ import annotations

import json
import re
import shlex
import sys
from datetime import datetime
from pathlib import Path

import pytest

from wf_notebook import Workflow, open_storage, users
from wf_notebook.cli import main
from wf_notebook.cli.wording import ONLY_THERE
from wf_notebook.verbs.table import HELP, OUT, VERBS, options_of

pytestmark = pytest.mark.usefixtures("store")


class Greeting(Workflow):
    def run(self, name: str):
        return f"Hello {name}."


def test_each_verb_that_needs_no_kernel_is_a_command_with_the_same_options():
    for verb in VERBS:
        if verb.name in ONLY_THERE:
            assert verb.name not in main.commands
            continue
        has = {name for each in main.commands[verb.name].params for name in each.opts}
        assert {f"--{each.name}" for each in options_of(verb) if each not in {HELP, OUT}} <= has, verb.name


def test_what_is_read_is_a_table(wf):
    lines = wf("sql 'SELECT workflow, status FROM runs'").output.splitlines()
    assert lines == ["workflow  status", "Blog      completed", "Blog      completed", "2 rows"]
    assert [line.rstrip() for line in wf("state posts -s demo").output.splitlines()][:2] == ["title", "CHEESE"]


def test_as_json_it_is_one_document_with_times_in_iso_8601(wf):
    done = wf("runs --json")
    rows = json.loads(done.stdout)
    assert done.stderr == "session 'demo'\n"
    assert [(row["session_id"], row["status"], row["inputs"]) for row in rows] == [("demo", "completed", {"topic": "cheese"})] * 2
    assert datetime.fromisoformat(rows[0]["started_at"]).utcoffset() is not None
    for line in ("sessions", "state", "events", "show", "why", "takes", "versions", "diff 1 2", "inspect", "inspect demo"):
        json.loads(wf(f"{line} --json").stdout)


def test_json_has_no_number_for_what_is_none(wf, store):
    session = open_storage(store).session("odd")
    session.state["n"] = float("nan")
    session.save()
    assert json.loads(wf("state -s odd --json").stdout)[0]["value"] is None


def test_what_a_command_did_is_said_in_the_words_of_a_shell(wf):
    done = wf("restore 1")
    newest = int(re.search(r"now version (\d+)", done.stdout)[1])
    assert done.stdout.endswith(
        f"session 'demo' is as it was at version 1, which is now version {newest}; wf restore {newest - 1} undoes it\n"
    )
    assert wf("fork second").stdout.endswith("wf run NOTEBOOK NAME -s second goes on in it\n")
    assert wf("delete second").stdout == "session 'second' is hidden; wf restore --deleted second brings it back\n"
    assert wf("takes -s demo").stdout.splitlines()[-1].endswith("; wf use NUMBER chooses")


def test_as_json_it_says_what_was_done(wf):
    assert json.loads(wf("rename My first blog -s demo --json").stdout) == {"done": ["session 'demo' is named 'My first blog'"]}
    assert json.loads(wf("fork second --json").stdout)["session_id"] == "second"


def test_a_value_of_a_class_that_a_cell_defines_is_shown_without_a_warning(process):
    defines = """
from dataclasses import dataclass
from wf_notebook import open_storage
@dataclass
class Post:
    title: str
session = open_storage().session("classes")
session.state["post"] = Post("a")
session.save()
"""
    Path("defines.py").write_text(defines, encoding="utf-8")
    done = process(f"{shlex.quote(sys.executable)} defines.py; wf state -s classes")
    assert (done.returncode, done.stderr) == (0, "")
    assert "Post {'title': 'a'}" in done.stdout


def test_a_query_comes_from_the_line_or_from_stdin(wf):
    assert json.loads(wf("sql --json", input="SELECT 1 AS n -- one").stdout) == [{"n": 1}]
    assert json.loads(wf("sql --json -", input="SELECT 2 AS n").stdout) == [{"n": 2}]
    assert json.loads(wf("sql --json SELECT 3 AS n").stdout) == [{"n": 3}]
    done = wf("sql", input="")
    assert (done.exit_code, done.stderr) == (2, 'Error: write the query: wf sql "SELECT * FROM sessions"\n')


def test_a_table_goes_into_a_file_and_not_into_a_variable(wf):
    done = wf("sql 'SELECT 1 AS n -o rows'")
    assert (done.exit_code, done.stdout, done.stderr) == (
        *(2, ""),
        "Error: -o VAR is for a notebook; write the table into a file: wf sql … --json > rows.json\n",
    )


@pytest.mark.parametrize(("answer", "code", "left"), [("y\n", 0, []), ("n\n", 2, ["demo"]), ("", 2, ["demo"])])
def test_before_it_erases_it_asks(wf, store, answer, code, left):
    done = wf("delete demo --purge", input=answer)
    assert "erase session 'demo', with its versions, runs and events? This cannot be undone. [y/N]" in done.stderr
    assert (done.exit_code, open_storage(store).sessions()["session_id"]) == (code, left)


def test_a_session_is_hidden_only_by_its_name(wf, store):
    done = wf("delete")
    assert (done.exit_code, done.stderr) == (2, "Error: which session is not said: wf delete ID; wf sessions lists them\n")
    assert open_storage(store).sessions()["session_id"] == ["demo"]


def test_it_does_not_ask_who_said_yes(wf, store):
    done = wf("delete demo --purge --yes")
    assert (done.exit_code, done.stderr) == (0, "")
    assert open_storage(store).sessions()["session_id"] == []


def test_colours_are_for_a_terminal_and_a_pipe_has_all_rows(wf, process):
    piped = wf("sql 'SELECT * FROM range(50)'").output
    assert piped.splitlines()[-1] == "50 rows"
    assert "\x1b" not in piped
    typed = f'{sys.executable} -c \'import pty; pty.spawn(["{sys.executable}", "-m", "wf_notebook", "runs"])\''
    assert "\x1b[1m" in process(typed).stdout
    assert "\x1b" not in process(f"NO_COLOR=1 {typed}").stdout


def test_what_is_in_a_session_does_not_steer_a_terminal(wf, store):
    session = open_storage(store).session("odd")
    session.state.update({"title\x1b]0;mine\x07": "red\x1b[31m"})
    session.save()
    shown = [
        wf(line).output for line in ("state -s odd", "diff 0 1 -s odd", "versions -s odd", "inspect odd", "state \x1b[2J -s odd")
    ]
    assert all("\x1b" not in each for each in shown), shown
    assert json.loads(wf("state -s odd --json").stdout)[0]["value"] == "red\x1b[31m"


def test_a_terminal_that_has_not_all_signs_shows_others(process):
    shown = process("PYTHONIOENCODING=latin-1 wf runs | iconv -f latin1 -t utf-8").stdout
    assert shown.splitlines()[1].split()[2:4] == ["?", "completed"]
    assert json.loads(process("PYTHONIOENCODING=latin-1 wf sql --json \"SELECT '✓' AS a\"").stdout) == [{"a": "✓"}]


def test_sessions_are_copied_into_another_store(wf, working_directory):
    to = f"sqlite:///{working_directory / 'team.db'}"
    done = json.loads(wf(f"copy demo --to {to} --json").stdout)
    assert [(row["session_id"], row["done"], row["runs"], row["steps"]) for row in done] == [("demo", "copied", 2, 2)]
    assert json.loads(wf(f"copy --all --to {to} --json").stdout)[0]["done"] == "was there"
    assert wf(f"state posts --storage {to}").stdout == wf("state posts").stdout


def test_which_sessions_and_where_to_is_to_be_said(wf):
    assert wf("copy demo").stderr == "Error: where to is not said: wf copy SESSION --to duckdb:///other.duckdb\n"
    for line in ("copy --to memory:", "copy demo --all --to memory:"):
        done = wf(line)
        assert (done.exit_code, done.stderr) == (
            *(2,),
            "Error: write the ids of the sessions, or --all for all of them: wf copy SESSION --to URL\n",
        )
    assert wf("copy dmo --to memory:").stderr.startswith("Error: no session 'dmo' in ")


def test_a_session_is_shared_and_sessions_of_others_are_listed_if_asked_for(wf, store, monkeypatch):
    monkeypatch.setenv("WF_USER", "ann")
    session = open_storage(store).session("mine")
    session.state["n"] = 1
    session.save()
    listed = lambda line: sorted(row["session_id"] for row in json.loads(wf(f"{line} --json").stdout))
    assert listed("sessions") == ["demo", "mine"]
    monkeypatch.setenv("WF_USER", "bob")
    assert (listed("sessions"), listed("sessions --all-users")) == (["demo"], ["demo", "mine"])
    assert wf("state -s mine").stderr.startswith("Error: session 'mine' belongs to another user than 'bob'; ")
    monkeypatch.setenv("WF_USER", "ann")
    said = wf("share mine bob").stdout
    assert said == "session 'mine' is shared with bob, who may look at it and run in it; wf unshare mine bob takes it back\n"
    monkeypatch.setenv("WF_USER", "bob")
    assert listed("sessions") == ["demo", "mine"]
    monkeypatch.setenv("WF_USER", "ann")
    assert wf("share mine").stdout.startswith("session 'mine' is shared with everybody, who may")
    assert wf("unshare mine bob").stdout == "session 'mine' is shared with everybody\n"
    assert wf("unshare mine").stdout == "session 'mine' is shared with nobody\n"
    assert wf("share").exit_code == 2


def test_a_sweep_is_copied_shared_hidden_brought_back_and_erased_in_one_line_each(wf, store, working_directory, monkeypatch):
    monkeypatch.setattr(users, "_in_whose_name", set())
    monkeypatch.setenv("WF_USER", "ann")
    list(Greeting(session_id="greet", storage=store).map(["Ann", "Bob"]))
    assert wf(f"copy greet/ --to sqlite:///{working_directory / 'team.db'}").stdout.splitlines()[1].split()[:4] == [
        *("greet/", "greet/", "copied", "2"),
    ]
    said = (
        (
            "share greet/ bob",
            "2 rows of 'greet/' are shared with bob, who may look at them and run in them; wf unshare greet/ bob takes it back",
        ),
        ("unshare greet/", "2 rows of 'greet/' are shared with nobody"),
        ("delete greet/", "2 rows of 'greet/' are hidden; wf restore --deleted greet/ brings them back"),
        ("restore --deleted greet/", "2 rows of 'greet/' are back"),
        ("delete greet/ --purge --yes", "2 rows of 'greet/' are erased, and cannot be brought back"),
    )
    for line, told in said:
        assert wf(line).stdout == f"{told}\n"
    assert wf("delete greet/").stderr.startswith("Error: no sweep 'greet/' in ")


def test_rows_of_ones_own_are_told_apart_from_those_that_others_share(wf, store, monkeypatch):
    for name in ("ann", "bob"):
        monkeypatch.setattr(users, "_in_whose_name", set())
        monkeypatch.setenv("WF_USER", name)
        list(Greeting(session_id="greet", storage=store).map(["Ann", "Bob"]))
        if name == "ann":
            wf("share greet/ bob")
    assert wf("unshare greet/").stdout == "2 rows of 'greet/' are shared with nobody, but for 2 of other users\n"


def test_a_session_of_another_user_says_so_by_whatever_name_it_is_asked_for(wf, store, monkeypatch):
    monkeypatch.setattr(users, "_in_whose_name", set())
    monkeypatch.setenv("WF_USER", "ann")
    open_storage(store).delete_session("demo")
    session = open_storage(store).session("anns")
    session.state["n"] = 1
    session.save()
    monkeypatch.setenv("WF_USER", "zed")
    owned = "Error: session 'anns' belongs to another user than 'zed'; "
    assert wf("state anns").stderr.startswith(owned)
    assert wf("state nothing").stderr.startswith(f"Error: {store} has no session yet; run a workflow")
    own = open_storage(store).session("zeds")
    own.state["n"] = 1
    own.save()
    assert owned in wf("state anns").stderr
    assert "anns" not in wf("state n").stderr


def test_what_is_done_to_one_session_says_so_of_a_sweep(wf, store):
    list(Greeting(session_id="greet", storage=store).map(["Ann", "Bob"]))
    what = "Error: 'greet/' means the 2 rows of a sweep, and this is done to one session; "
    assert wf("forget -s greet/").stderr == f"{what}all rows are done again by wf run NOTEBOOK NAME --map DATA --fresh\n"
    assert wf("export greet/").stderr == f"{what}all rows go with wf copy greet/ --to URL, and wf sessions greet/ lists them\n"
    done = wf("delete greet/ --purge")
    assert done.stderr.splitlines()[0] == (
        "erase 2 rows of 'greet/', with their versions, runs and events? This cannot be undone. [y/N] "
    )
    assert wf("state -s greet/").stderr == (
        "Error: 'greet/' means the 2 rows of a sweep, and this is asked of one session: wf sessions greet/ lists them\n"
    )
