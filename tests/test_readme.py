"""What the README says is true: its code runs, its commands are there, its files exist."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

from wf_notebook import Agent, cli

REPOSITORY = Path(__file__).parent.parent
README = (REPOSITORY / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)


def test_every_block_of_code_is_of_a_kind_that_is_tested():
    assert set(re.findall(r"^```(\w+)$", README, re.MULTILINE)) == {"sh", "python", "ipython"}


@pytest.mark.model
@pytest.mark.timeout(180)
def test_its_code_runs_from_above_to_below_in_one_notebook(shell, local_model, working_directory, monkeypatch, capsys):
    monkeypatch.setenv("WF_MODEL", local_model)
    code = re.findall(r"^```i?python\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)
    for block in code:
        shell.run_cell(block, store_history=True).raise_error()
    assert shell.user_ns["poems"].last_run.status == "completed"
    assert set(shell.user_ns["poems"].session_state["poems"]) == {"cheese"}
    assert len(shell.user_ns["debate"].session_state["answers"]) == 2
    assert shell.user_ns["poet"].last_run.inputs == {"topic": "bread"}
    printed = capsys.readouterr().out
    assert "session_id" in printed
    assert (working_directory / ".workflows" / "workflows.duckdb").exists()


def test_its_make_commands_are_targets_of_the_makefile():
    commands = {*re.findall(r"^make (\w+)$", "".join(blocks("sh")), re.MULTILINE), *re.findall(r"`make (\w+)`", README)}
    assert commands == {"demo", "test", "lab", "docs"}
    for command in commands:
        subprocess.run(["make", "-n", command], cwd=REPOSITORY, check=True, capture_output=True, timeout=60)


def test_its_other_commands_are_real():
    lines = [line for block in blocks("sh") for line in block.splitlines() if not line.startswith("make ")]
    assert [line for line in lines if line.split()[0] != "wf"] == ['pip install ".[lab,local,openai]"']
    for line in lines:
        if line.startswith("wf "):
            cli.main.main([line.split()[1], "--help"], standalone_mode=False)
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert {"lab", "local", "openai"} <= set(project["optional-dependencies"])
    assert "wf" in project["scripts"]


def test_the_models_that_it_names_can_be_named_without_a_key():
    assert repr(Agent("openai:gpt-5.2")) == "<Agent openai:gpt-5.2>"
