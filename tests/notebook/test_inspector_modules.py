"""The modules of the inspector's page: plain ES modules, which are joined into the one that a widget has."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import wf_notebook
from wf_notebook.notebook.inspecting import MODULES, joined, styles

FOLDER = Path(wf_notebook.__file__).parent / "notebook" / "static" / "inspector"
SOURCES = {path.stem: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.js")}
#: A name that stands at the top of a module.
TOP = re.compile(r"^(?:export )?(?:async )?(?:function|const|let|class) ([\w$]+)", re.MULTILINE)
IMPORT = re.compile(r'^import \{ ([^}]*) \} from "\./([\w-]+)\.js";$', re.MULTILINE)


def test_every_module_is_listed_once_and_none_is_missing():
    assert sorted(MODULES) == sorted(SOURCES)


@pytest.mark.parametrize("name", MODULES)
def test_a_module_imports_what_stands_before_it_and_is_exported_there(name):
    for names, other in IMPORT.findall(SOURCES[name]):
        assert MODULES.index(other) < MODULES.index(name)
        exported = set(re.findall(r"^export (?:async )?(?:function|const|class) (\w+)", SOURCES[other], re.MULTILINE))
        assert set(re.split(r",\s*", names.strip().rstrip(","))) <= exported


def test_no_two_modules_name_anything_alike_at_the_top():
    names = [name for source in SOURCES.values() for name in TOP.findall(source)]
    assert sorted({name for name in names if names.count(name) > 1}) == []


def test_joined_they_are_one_module_that_imports_nothing_and_exports_what_a_widget_has():
    (export,) = re.findall(r"^(?:import|export)\b.*", joined(), re.MULTILINE)
    assert export.startswith("export default { initialize")


def test_what_is_for_readers_only_is_not_sent():
    lines = joined().splitlines()
    assert [line for line in lines if not line or line[0].isspace() or re.search(r"/\*\*|^//| // ", line)] == []
    assert [line for line in lines if line.count("`") % 2] == []  # a text over several lines would lose its indentation


def test_what_is_quoted_is_sent_as_it_is_written():
    quoted = re.compile(r"""(?<=[ (\[])(?:"[^"\n]*"|`[^`\n]*`)(?=[,;)\]])""")
    code = re.sub(r"/\*.*?\*/|^import [^;]*;", "", "".join(SOURCES.values()), flags=re.MULTILINE | re.DOTALL)
    code = re.sub(r"(?:^|[ \t])// .*$", "", code, flags=re.MULTILINE)
    texts = quoted.findall(code)
    assert len(texts) > 500
    assert [text for text in texts if text not in joined()] == []


@pytest.mark.parametrize("name", MODULES)
def test_a_module_can_be_read_in_one_sitting_and_makes_no_html_of_its_own(name):
    source = SOURCES[name]
    assert len(source.splitlines()) <= 300
    assert not re.search(r"insertAdjacentHTML|outerHTML|document\.write|\beval\(|new Function", source)


def test_script_and_styles_are_light():
    assert len(joined().encode()) + len(styles().encode()) <= 86_000
