"""The command `wf`: its help, how it fails, and how it ends."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import pytest

import wf_notebook
from wf_notebook.cli import main


def every(command, *names):
    """Yield all commands with their names, those below others too."""
    for name, each in getattr(command, "commands", {}).items():
        yield (*names, name), each
        yield from every(each, *names, name)


def test_help_loads_nothing_heavy():
    heavy = (
        "pydantic_ai",
        "pydantic",
        "IPython",
        "duckdb",
        "rich",
        "asyncio",
        "nbformat",
        "wf_notebook.workflow",
        "wf_notebook.notebook",
    )
    code = (
        "import sys\nfrom wf_notebook.cli import main\nmain(['--help'], standalone_mode=False)\n"
        f"print([name for name in {heavy} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("Usage: wf")
    assert done.stdout.endswith("\n[]\n")


def test_without_a_command_it_shows_its_help(wf):
    assert (wf("").exit_code, wf("").output) == (0, wf("-h").output)


def test_each_command_has_a_line_of_help_and_an_example(wf):
    for names, command in every(main):
        shown = wf(f"{' '.join(names)} -h").output
        assert command.help, names
        assert "%w" not in shown, names
        assert command.examples, names
        assert all(f"  {example}\n" in shown for example in command.examples)
        assert {"--json", "--traceback"} <= {name for each in command.params for name in each.opts}, names


def test_help_lists_each_command_once(wf):
    listed = re.findall(r"^  ([a-z]+)  ", wf("-h").output, re.MULTILINE)
    assert listed == list(main.commands)
    assert len({*listed}) == len(listed) == sum(map(len, main.sections.values()))


def test_the_version_is_the_packages(wf, process):
    said = f"wf, version {wf_notebook.__version__}\n"
    assert wf("--version").output == said
    assert process("wf --version").stdout == said


@pytest.mark.parametrize(
    ("line", "code", "said"),
    [
        ("sesions", 2, "Error: wf has no command 'sesions'; did you mean 'sessions'?\n"),
        ("zzz", 2, "Error: wf has no command 'zzz'; wf -h lists them\n"),
        ("save", 2, "Error: save is about what lives in a notebook: write %wf save in one of its cells\n"),
        ("resolve mine", 2, "Error: resolve is about what lives in a notebook: write %wf resolve in one of its cells\n"),
        ("sessions --al", 2, "Error: no option '--al'; did you mean '--all'?\n"),
        ("--colour", 2, "Error: no option '--colour'; wf -h shows them\n"),
        ("runs -s", 2, "Error: option '-s' requires an argument; wf runs -h shows what to write\n"),
        ("restore three", 2, "Error: 'three' is no number of a version; write wf restore 3; wf versions lists them\n"),
        ("state -s dmo", 1, "Error: no session 'dmo' in {store}; did you mean 'demo'?\n"),
        ("sessions --storage runs.db", 1, "Error: unknown kind of storage in 'runs.db'; write sqlite:///runs.db\n"),
        ("sessions --storage duckdb:///run.duckdb", 1, "Error: there is no file 'run.duckdb'; did you mean 'runs.duckdb'?\n"),
        ("restore --deleted dmo", 1, "Error: no session 'dmo' was deleted in {store}; wf sessions lists those that are there\n"),
        ("models pul", 2, "Error: wf models has no command 'pul'; did you mean 'pull'?\n"),
    ],
)
def test_what_fails_is_one_line_with_a_remedy_and_an_exit_code(wf, store, line, code, said):
    done = wf(line)
    assert (done.exit_code, done.stdout, done.stderr) == (code, "", said.format(store=store))


def test_as_json_an_error_is_json_too(wf, store):
    done = wf("restore three --json")
    assert (done.exit_code, done.stdout) == (2, "")
    *_, error = done.stderr.splitlines()
    assert json.loads(error) == {
        "error": "'three' is no number of a version; write wf restore 3; wf versions lists them",
        "kind": "BadArguments",
    }
    assert json.loads(wf("state --al --json").stderr)["kind"] == "UnknownOption"
    assert json.loads(wf(f"state -s dmo --json --storage {store}").stderr)["kind"] == "UnknownSession"


@pytest.mark.usefixtures("store")
def test_a_traceback_is_shown_to_who_asks_for_one(wf, monkeypatch):
    assert "Traceback" not in wf("state -s dmo").stderr
    assert "Traceback (most recent call last)" in wf("state -s dmo --traceback").stderr
    monkeypatch.setenv("WF_DEBUG", "1")
    assert "Traceback (most recent call last)" in wf("state -s dmo").stderr


def test_where_there_is_no_store_none_is_made(wf, working_directory):
    done = wf("sessions")
    assert (done.exit_code, done.stderr) == (
        1,
        "Error: there are no sessions here or in a folder above; run a workflow, or say where: --storage URL\n",
    )
    assert list(working_directory.iterdir()) == []


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize(
    ("line", "read"),
    [("wf sessions | true", []), ("wf sql \"SELECT repeat('x', 50) AS x FROM range(9000)\" | head -1", ["x"])],
)
def test_who_reads_only_the_beginning_breaks_nothing(process, line, read):
    done = process(f"unset PYTHONUNBUFFERED; {line}; echo ${{PIPESTATUS[@]}}")
    assert (done.stdout.splitlines(), done.stderr) == ([*read, "0 0"], "")


@pytest.mark.usefixtures("store")
def test_an_interrupt_ends_it_with_130():
    begun = subprocess.Popen(
        [sys.executable, "-m", "wf_notebook", "delete", "demo", "--purge"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    said = ""
    while not said.endswith("[y/N] "):
        said += begun.stderr.read(1)
    begun.send_signal(2)
    _, rest = begun.communicate()
    assert (begun.returncode, rest) == (130, "Error: interrupted\n")


@pytest.mark.usefixtures("store")
def test_completion_knows_commands_options_and_sessions(process):
    words = process("COMP_WORDS='wf runs -s d' COMP_CWORD=3 _WF_COMPLETE=bash_complete wf").stdout.split()
    assert words == ["plain,demo"]
    words = process("COMP_WORDS='wf se' COMP_CWORD=1 _WF_COMPLETE=bash_complete wf").stdout.split()
    assert words == ["plain,sessions"]
    words = process("COMP_WORDS='wf delete --p' COMP_CWORD=2 _WF_COMPLETE=bash_complete wf").stdout.split()
    assert words == ["plain,--purge"]
