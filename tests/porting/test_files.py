"""A file is ported as a whole or not at all; and what cannot be ported is said in one line."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from wf_notebook.errors import BadNotebook, BadSource, UnwritableFile
from wf_notebook.porting import port_file

BEFORE, AFTER = "from agno.agent import Agent\n", "from wf_notebook import Agent\n"


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "old.py"
    path.write_text(BEFORE, encoding="utf-8")
    return path


def test_nothing_is_written_unless_it_is_asked_for(file):
    assert port_file(file).text == AFTER
    assert file.read_text(encoding="utf-8") == BEFORE
    done = port_file(file, write=True)
    assert (done.name, done.text) == (str(file), AFTER)
    assert file.read_text(encoding="utf-8") == AFTER
    assert done.as_dict() == {
        "name": str(file),
        "changed": [{"line": 1, "before": BEFORE.strip(), "after": AFTER.strip(), "cell": None}],
        "left": [],
    }


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            b"\xef\xbb\xbffrom agno.agent import Agent\r\nx = '\xc3\xa9'",
            b"\xef\xbb\xbffrom wf_notebook import Agent\r\nx = '\xc3\xa9'",
        ),
        (
            b"# -*- coding: latin-1 -*-\nx = '\xe9'; from agno.agent import Agent\n",
            b"# -*- coding: latin-1 -*-\nx = '\xe9'; from wf_notebook import Agent\n",
        ),
        (b"#!/usr/bin/python\rfrom agno.agent import Agent\r\x0c\r", b"#!/usr/bin/python\rfrom wf_notebook import Agent\r\x0c\r"),
    ],
)
def test_each_other_byte_stays(before, after, file):
    file.write_bytes(before)
    port_file(file, write=True)
    assert file.read_bytes() == after


def test_a_link_stays_a_link_and_rights_stay(file, tmp_path):
    file.chmod(0o750)
    link = tmp_path / "link.py"
    link.symlink_to(file)
    port_file(link, write=True)
    assert link.is_symlink()
    assert file.read_text(encoding="utf-8") == AFTER
    assert stat.S_IMODE(file.stat().st_mode) == 0o750


def test_what_needs_no_change_is_not_touched(file):
    file.write_text(AFTER, encoding="utf-8")
    before = file.stat()
    port_file(file, write=True)
    assert (file.stat().st_ino, file.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_a_write_that_fails_leaves_the_file_as_it_was(file, tmp_path, monkeypatch):
    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(UnwritableFile) as error:
        port_file(file, write=True)
    assert str(error.value) == f"{str(file)!r} cannot be written: no space left on device; it is as it was"
    assert file.read_text(encoding="utf-8") == BEFORE
    assert [path.name for path in tmp_path.iterdir()] == ["old.py"]


def test_a_file_that_may_not_be_written_is_not_replaced(file, monkeypatch):
    monkeypatch.setattr(os, "access", lambda *_: False)  # as root may write everything
    with pytest.raises(UnwritableFile, match=r"may not be written; make it writable, and port again"):
        port_file(file, write=True)
    assert file.read_text(encoding="utf-8") == BEFORE


@pytest.mark.parametrize(
    ("name", "content", "error", "message"),
    [
        ("x.py", b"x = 1\nx = = 2\n", BadSource, "is not Python, line 2: invalid syntax; mend it, and port again"),
        (
            "x.py",
            b"x = 1\n\ny = '\xe9'\n",
            BadSource,
            "is not utf-8, line 3: invalid continuation byte; say its encoding in its first line",
        ),
        (
            "x.py",
            b"# coding: klingon\n",
            BadSource,
            "is in no encoding that Python reads: unknown encoding: klingon; say which in its first line",
        ),
        (
            "x.py",
            b"# coding: utf-7\nfrom agno.agent import Agent\nx = '+AGE-'",
            BadSource,
            "cannot be written back as it was in utf-7; save it as UTF-8, and port again",
        ),
        (
            "x.ipynb",
            b"from agno.agent import Agent\n",
            BadNotebook,
            "is not a notebook: Expecting value: line 1 column 1 (char 0); give an .ipynb file as Jupyter saves it",
        ),
        (
            "x.ipynb",
            b'{"cells": "\xe9"}',
            BadNotebook,
            "is not utf-8, line 1: invalid continuation byte; give an .ipynb file as Jupyter saves it",
        ),
        ("x.ipynb", b"[1]", BadNotebook, "is JSON, but not a notebook; give an .ipynb file as Jupyter saves it"),
        (
            "x.ipynb",
            b'{"cells": [{"source": 1}]}',
            BadNotebook,
            "is JSON, but not a notebook; give an .ipynb file as Jupyter saves it",
        ),
        (
            "x.ipynb",
            b'{"worksheets": [], "nbformat": 3}',
            BadNotebook,
            "is a notebook of format 3 or older; open and save it in Jupyter, and port again",
        ),
    ],
)
def test_what_cannot_be_ported_is_said_and_stays(name, content, error, message, tmp_path):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(error) as raised:
        port_file(path, write=True)
    assert str(raised.value) == f"{str(path)!r} {message}"
    assert raised.value._render_traceback_() == [f"{error.__name__}: {str(path)!r} {message}"]
    assert path.read_bytes() == content


def test_a_file_that_is_not_there_is_said_with_the_one_that_is(file, tmp_path):
    with pytest.raises(BadSource, match=r"there is no file '.*/odl\.py'; did you mean 'old\.py'\?"):
        port_file(tmp_path / "odl.py")
    with pytest.raises(BadSource, match=r"there is no file 'nowhere/x\.py'; name one that is there"):
        port_file("nowhere/x.py")
    with pytest.raises(BadNotebook, match=r"there is no file '.*/old\.ipynb'; did you mean 'old\.py'\?"):
        port_file(tmp_path / "old.ipynb")
    with pytest.raises(BadSource, match=r"is a folder; name the files in it"):
        port_file(tmp_path)
    with pytest.raises(BadSource, match=r"cannot be read: not a directory"):
        port_file(file / "x.py")
    with pytest.raises(BadSource, match=r"cannot be read: .*null"):
        port_file("a\0b")


def test_a_relative_path_is_named_as_it_was_given(file, monkeypatch):
    monkeypatch.chdir(file.parent)
    assert port_file(Path("old.py")).diff.splitlines()[:2] == ["--- a/old.py", "+++ b/old.py"]
