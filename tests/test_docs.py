"""What README and docs/ say is true: their code and commands run, each page from above to below in a process of its own."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import click
import pytest
import yaml

from wf_notebook import cli
from wf_notebook.codec.table import TABLE

REPOSITORY = Path(__file__).parent.parent
DOCS = REPOSITORY / "docs"
PAGES = sorted(DOCS.glob("*.md"))
ALL = {path.relative_to(REPOSITORY).as_posix(): path.read_text("utf-8") for path in [*REPOSITORY.glob("*.md"), *PAGES]}

#: What runs here after the code of its page: programs of ours, and none that installs.
PROGRAMS = {"wf", "jupyter"}

#: The commands that do not run here, and why; of a whole block a comment above it says so in the page.
NOT_RUN_HERE = {
    "make demo": "tests/test_quickstart.py runs what it runs, in a terminal",
    "make test": "it runs this",
    'pip install ".[lab,local,openai]"': "tests/test_packaging.py installs what was built; the extras are installed already",
    "wf models pull smollm2": "the fixture `pulled` runs it, with the model's own folder",
    'wf run report.ipynb digest text="one two three four"': "docs/programs.md makes that notebook, and runs it",
    "wf rerun report.ipynb --check": "tests/cli/test_docs.py runs it",
    "wf export demo --format html": "tests/cli/test_docs.py exports a session",
}

#: The pages whose commands a test of their own runs, one after the other: they need notebooks, or sessions.
RUN_BY = {"cli": "cli/test_docs.py", "rerun": "ipynb/test_runners.py"}
#: What the commands of a page find: a file, and what is in it.
FOUND = {"coming-from-agno": ("blog.py", "from agno.workflow import Workflow\n")}

#: Runs blocks of a page as cells of one notebook.
NOTEBOOK = """
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

shell = InteractiveShell.instance(config=Config(HistoryManager={{"enabled": False}}))
for cell in {cells!r}:
    shell.run_cell(cell, store_history=True).raise_error()
"""


def blocks(text: str, *languages: str) -> list[str]:
    """Return the fenced blocks of these languages, in their order; without those of which a comment says why they are not run."""
    text = re.sub(r"^<!-- (?:not run|needs) [^\n]+ -->\n```\S*\n.*?^```$", "", text, flags=re.DOTALL | re.MULTILINE)
    found = re.findall(r"^```(\S+)\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    return [block for language, block in found if language in languages]


def test_a_comment_keeps_the_block_below_it_from_running_and_no_other():
    block = "```python\n{}\n```\n".format
    page = f"{block('a')}<!-- not run here: why -->\n{block('b')}{block('c')}<!-- needs much -->\n{block('d')}{block('e')}"
    assert blocks(page, "python") == ["a\n", "c\n", "e\n"]


def commands(text: str) -> list[str]:
    """Return the lines of the blocks of shell commands."""
    return [line for block in blocks(text, "sh") for line in block.splitlines() if line and not line.startswith("#")]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_code_and_then_the_commands_of_a_page_run(page):
    text = page.read_text("utf-8")
    code = blocks(text, "python", "ipython")
    program = NOTEBOOK.format(cells=code) if blocks(text, "ipython") else "\n".join(code)
    if code:
        done = subprocess.run([sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, "")
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    if page.stem in FOUND:
        name, content = FOUND[page.stem]
        Path(name).write_text(content, encoding="utf-8")
    for command in [] if page.stem in RUN_BY else commands(text):
        if command not in NOT_RUN_HERE:
            assert command.split()[0] in PROGRAMS, f"{command!r} is not run here: say why in a comment above it"
            done = subprocess.run(command, shell=True, env=environment, capture_output=True, text=True, check=False)
            assert (command, done.returncode) == (command, 0), done.stderr


def test_a_page_whose_commands_run_elsewhere_is_read_there():
    for page, test in RUN_BY.items():
        assert f'"{page}.md"' in (REPOSITORY / "tests" / test).read_text("utf-8")


def test_each_block_is_of_a_kind_that_is_run_or_read_here():
    kinds = {language for text in ALL.values() for language in re.findall(r"^```(\S+)$", text, re.MULTILINE)}
    assert kinds <= {"python", "ipython", "sh", "toml", "json", "yaml", "{eval-rst}"}
    assert [name for name, text in ALL.items() if len(re.findall(r"^```", text, re.MULTILINE)) % 2] == []


@pytest.mark.parametrize(("language", "read"), [("toml", tomllib.loads), ("json", json.loads), ("yaml", yaml.safe_load)])
def test_settings_to_copy_can_be_read(language, read):
    for text in ALL.values():
        for block in blocks(text, language):
            assert read(block)


def test_the_list_of_commands_that_are_not_run_names_only_those_that_there_are():
    said = {command for text in ALL.values() for command in commands(text)}
    assert {*NOT_RUN_HERE} <= said
    assert {*commands(ALL["README.md"])} <= {*NOT_RUN_HERE}


def test_the_targets_of_make_that_are_named_are_there():
    named = {target for text in ALL.values() for target in re.findall(r"`make ([\w-]+)[^`]*`", text)}
    there = re.findall(r"^([\w-]+):", (REPOSITORY / "Makefile").read_text("utf-8"), re.MULTILINE)
    assert len(named) > 5
    assert sorted(named - {*there}) == []


@pytest.fixture
def verbs(shell, capsys) -> str:
    """Return what `%workflow -h`, `%wf` and the help of each of its verbs say."""
    shell.run_cell("%load_ext wf_notebook\n%workflow -h\n%wf").raise_error()
    overview = capsys.readouterr().out
    for verb in re.findall(r"^ +%wf (\w+)", overview, re.MULTILINE):
        shell.run_cell(f"%wf {verb} -h").raise_error()
    return overview + capsys.readouterr().out


def test_the_verbs_of_wf_that_are_named_are_there(verbs):
    named = {verb for text in ALL.values() for verb in re.findall(r"`%%?wf ([a-z]+)\b", text)}
    assert len(named) > 15
    assert sorted(verb for verb in named if f"%wf {verb}" not in verbs) == []


def test_the_options_that_are_named_are_there(verbs):
    def helps(command, context=None):
        context = click.Context(command, info_name=command.name, parent=context)
        yield command.get_help(context)
        for name in command.list_commands(context) if isinstance(command, click.Group) else ():
            yield from helps(command.get_command(context, name), context)

    known = "\n".join([verbs, *helps(cli.main)])
    named = {option for text in ALL.values() for option in re.findall(r"`(-[a-z]|--[a-z][\w-]*)(?: [A-Z]+)?`", text)}
    assert len(named) > 10
    assert sorted(option for option in named if not re.search(rf"(?<![\w-]){option}(?![\w-])", known)) == []


def test_the_table_of_the_options_of_a_cell_is_that_of_its_help(verbs):
    (table,) = re.findall(r"^\| option \| \|\n(?:\|.*\n)+", ALL["docs/notebook.md"], re.MULTILINE)
    told = re.findall(r"^\| (?:`-(\w)`, )?`--([\w-]+)(?: ([A-Z]+))?` \|", table, re.MULTILINE)
    helped = re.findall(r"^ +(?:-(\w), )?--([\w-]+)(?: ([A-Z]+))?  ", verbs.partition("%wf ")[0], re.MULTILINE)
    assert told == helped


def test_links_and_pictures_lead_to_files_that_exist():
    for name, text in ALL.items():
        links = [link.partition("#")[0] for link in re.findall(r"\]\(([^)\s]+)\)", text) if "://" not in link]
        assert [(name, link) for link in links if not (REPOSITORY / name).parent.joinpath(link).exists()] == []


def test_each_picture_is_shown_by_a_page_and_taken_by_a_test():
    tests = "".join(path.read_text("utf-8") for path in REPOSITORY.glob("tests/**/test_*.py"))
    there = {path.stem for path in DOCS.glob("*.png")}
    assert {*re.findall(r'^ +picture\("(\w+)"\)$', tests, re.MULTILINE)} == there
    assert [name for name in there if not any(f"{name}.png)" in text for text in ALL.values())] == []


def test_the_table_of_types_has_every_tag_that_is_stored_and_no_other():
    table = re.search(r"^\| what \| tag \|\n(?:\|.*\n)+", ALL["docs/state.md"], re.MULTILINE)
    stored = {kind.tag.partition(":")[0] for kind in TABLE if kind.tag} - {"$unknown"}  # what stands for others is never written
    assert set(re.findall(r"`(\$\w+)`", table[0])) == stored
