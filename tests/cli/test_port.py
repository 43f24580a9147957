"""`wf port`: what would change is shown, and changed when that is asked for."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

THEIRS = "from agno.agent import Agent\nfrom agno.team import Team\n"


@pytest.fixture(autouse=True)
def agents():
    Path("agents.py").write_text(THEIRS, encoding="utf-8")


def test_it_shows_what_would_change_and_changes_nothing(wf):
    done = wf("port agents.py")
    assert done.exit_code == 0
    assert "-from agno.agent import Agent\n+from wf_notebook import Agent\n" in done.stdout
    left, summary = done.stderr.splitlines()
    assert left.startswith("line 2: agno.team.Team ")
    assert summary == "1 import of agents.py would change; write --write to do so"
    assert Path("agents.py").read_text(encoding="utf-8") == THEIRS


def test_written_it_is_changed(wf):
    assert wf("port agents.py --write").stderr.splitlines()[-1] == "1 import of agents.py changed"
    assert Path("agents.py").read_text(encoding="utf-8").startswith("from wf_notebook import Agent\n")
    assert wf("port agents.py").stderr.splitlines()[-1] == "no import changes"


def test_as_json_it_is_one_document(wf):
    done = wf("port agents.py --json")
    found = json.loads(done.stdout)
    assert (found["written"], found["changed"][0]["line"], found["left"][0]["name"]) == (False, 1, "agno.team.Team")
    assert done.stderr == ""


@pytest.mark.parametrize(("name", "text"), [("none.py", None), ("bad.py", "def ("), ("bad.ipynb", "{")])
def test_what_cannot_be_ported_is_said_in_a_line(wf, name, text):
    if text is not None:
        Path(name).write_text(text, encoding="utf-8")
    done = wf(f"port {name}")
    assert (done.exit_code, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert done.stderr.startswith("Error: ")
