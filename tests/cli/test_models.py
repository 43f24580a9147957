"""`wf models`: what it lists, and how it fails."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from wf_notebook.agents.files import SMOLLM2
from wf_notebook.cli import main


@pytest.fixture
def folder(monkeypatch, tmp_path):
    monkeypatch.setenv("WF_MODELS", str(tmp_path))
    return tmp_path


def wf(*arguments):
    return CliRunner().invoke(main, arguments)


def test_models_says_what_is_here_and_what_is_used(folder, monkeypatch):
    (folder / "mine.gguf").write_bytes(b"GGUF" * 500_000)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-not-a-real-key")
    lines = wf("models").output.splitlines()
    assert lines[:3] == [
        f"On this machine, in {folder}:",
        "  local:mine              2 MB  mine.gguf",
        "  local:smollm2          98 MB  not here yet: wf models pull smollm2",
    ]
    assert "  openai:…       OPENAI_API_KEY is set" in lines
    assert "  anthropic:…    ANTHROPIC_API_KEY is not set" in lines
    assert lines[-1] == "An agent without model= uses none, and says what to do (WF_MODEL is not set)."
    assert "sk-not-a-real-key" not in "".join(lines)


def test_models_says_what_wf_model_says(folder, monkeypatch):
    monkeypatch.setenv("WF_MODEL", "openai:gpt-5.2")
    assert wf("models").output.splitlines()[-1] == "An agent without model= uses openai:gpt-5.2 (by WF_MODEL)."
    assert folder.exists()


def test_a_model_that_is_here_is_the_default(folder):
    with SMOLLM2.path.open("wb") as file:
        file.truncate(SMOLLM2.size)
    lines = wf("models").output.splitlines()
    assert lines[1] == f"  local:smollm2          98 MB  {SMOLLM2.path.name}"
    assert lines[-1] == "An agent without model= uses local:smollm2 (WF_MODEL is not set)."
    assert wf("models", "pull", "smollm2").output == f"smollm2 is here: {folder / SMOLLM2.path.name}\n"


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("smolm2", "Error: no model named 'smolm2'; did you mean 'smollm2'?\n"),
        ("gpt", "Error: no model named 'gpt'; what can be pulled: smollm2\n"),
    ],
)
def test_an_error_is_one_line_and_exit_code_1(name, message):
    done = wf("models", "pull", name)
    assert (done.exit_code, done.stdout, done.stderr) == (1, "", message)


@pytest.mark.usefixtures("folder")
def test_as_json_it_is_one_document_without_a_key(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-not-a-real-key")
    known = json.loads(wf("models", "--json").stdout)
    assert (known["keys"]["OPENAI_API_KEY"], known["keys"]["ANTHROPIC_API_KEY"], known["used"]) == (True, False, None)
    assert "smollm2" in known["can_pull"]
    assert "sk-not-a-real-key" not in json.dumps(known)
