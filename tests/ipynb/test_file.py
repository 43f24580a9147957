"""The file of a notebook changes only where its outputs do, and as a whole or not at all."""

from __future__ import annotations

import json
import os
import re

import nbformat
import pytest

from wf_notebook.errors import BadNotebook, UnwritableFile
from wf_notebook.ipynb.file import NotebookFile

OUTPUT = nbformat.v4.new_output("stream", text="Käse\nund Wein\n")


def notebook(*sources):
    made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source, execution_count=None) for source in sources])
    return json.loads(nbformat.writes(made))


@pytest.fixture
def write(tmp_path):
    def write(said, **layout):
        path = tmp_path / "walk.ipynb"
        path.write_bytes(said if isinstance(said, bytes) else json.dumps(said, **layout).encode())
        return path

    return write


@pytest.mark.parametrize(
    ("layout", "end", "newline"),
    [
        ({"indent": 1, "ensure_ascii": False}, "\n", "\n"),
        ({"indent": 4}, "", "\n"),
        ({"indent": "\t", "ensure_ascii": False}, "\n\n", "\r\n"),
        ({"separators": (",", ":")}, "", "\n"),
        ({}, "\n", "\n"),
    ],
    ids=["jupyter", "escaped", "tabs and CRLF", "compact", "one line"],
)
def test_all_but_the_new_outputs_stays_as_it_was_written(write, layout, end, newline):
    said = notebook("1", "# Größe")
    said["zz"], said["aa"] = 1, [1.5, None]  # nobody sorts it
    text = (json.dumps(said, **layout) + end).replace("\n", newline)
    file = NotebookFile.read(write(text.encode()))
    assert file.with_outputs({}, {}) == text.encode()

    expected = json.loads(text)
    expected["cells"][0] |= {
        "execution_count": 3,
        "outputs": [{"name": "stdout", "output_type": "stream", "text": ["Käse\n", "und Wein\n"]}],
    }
    assert file.with_outputs({0: [OUTPUT]}, {0: 3}) == (json.dumps(expected, **layout) + end).replace("\n", newline).encode()


def test_the_mark_that_some_editors_begin_a_file_with_stays(write):
    content = b"\xef\xbb\xbf" + json.dumps(notebook("1"), indent=1).encode()
    file = NotebookFile.read(write(content))
    assert file.node().cells[0].source == "1"
    assert file.with_outputs({}, {}) == content


def test_a_cell_keeps_its_number_and_its_outputs_have_that(write):
    said = notebook("1")
    said["cells"][0]["execution_count"] = 7
    result = nbformat.v4.new_output("execute_result", {"text/plain": "1"}, execution_count=1)
    (cell,) = json.loads(NotebookFile.read(write(said, indent=1)).with_outputs({0: [result]}, {0: 1}))["cells"]
    assert (cell["execution_count"], cell["outputs"][0]["execution_count"]) == (7, 7)


def test_half_of_a_pair_of_letters_can_be_written(write):
    said = notebook("'Ü'")
    file = NotebookFile.read(write(said, ensure_ascii=False))
    written = file.with_outputs({0: [nbformat.v4.new_output("stream", text="\ud83d")]}, {})
    assert json.loads(written)["cells"][0]["outputs"][0]["text"] == ["\ud83d"]


def test_a_file_is_replaced_behind_its_link_with_its_permissions(write, tmp_path):
    path = write(notebook("1"))
    path.chmod(0o640)
    (tmp_path / "links").mkdir()
    link = tmp_path / "links" / "walk.ipynb"
    link.symlink_to(path)
    NotebookFile.read(link).replace(b"{}")
    assert link.is_symlink()
    assert path.read_bytes() == b"{}"
    assert path.stat().st_mode & 0o777 == 0o640
    assert sorted(each.name for each in tmp_path.iterdir()) == ["links", "walk.ipynb"]


def test_a_file_that_changed_meanwhile_is_not_replaced(write, tmp_path):
    file = NotebookFile.read(path := write(notebook("1")))
    path.write_bytes(b"another's")
    with pytest.raises(UnwritableFile, match=r"walk\.ipynb' was changed while it ran, and stays as it is now; run it again"):
        file.replace(b"ours")
    assert path.read_bytes() == b"another's"
    assert [each.name for each in tmp_path.iterdir()] == ["walk.ipynb"]


def test_a_file_that_was_taken_away_meanwhile_is_not_made_again(write, tmp_path):
    file = NotebookFile.read(path := write(notebook("1")))
    path.unlink()
    with pytest.raises(UnwritableFile, match=r"could not be written \(no such file or directory\)"):
        file.replace(b"ours")
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be_written_whole_leaves_the_file_as_it_was(write, tmp_path, monkeypatch):
    file = NotebookFile.read(path := write(notebook("1")))
    before = path.read_bytes()

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(UnwritableFile, match=r"could not be written \(no space left on device\), and is as it was"):
        file.replace(b"ours")
    assert path.read_bytes() == before
    assert [each.name for each in tmp_path.iterdir()] == ["walk.ipynb"]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"# A script", "is no notebook (Expecting value: line 1 column 1 (char 0)); write the path to an .ipynb file"),
        (b"\xff\xfe", "is no notebook ('utf-8' codec can't decode"),
        (b"[1]", "is no notebook (it has no nbformat); open it in Jupyter and save it"),
        (b'{"cells": 1, "nbformat": 4}', "is no notebook (it has no list of cells)"),
        (
            b'{"nbformat": 3, "worksheets": []}',
            "is of the old form 3; open it in Jupyter and save it, or: jupyter nbconvert --to notebook --nbformat 4 --inplace ",
        ),
        (b'{"nbformat": 5, "cells": []}', "is of the form 5, which is newer than this; pip install -U wf-notebook"),
        (b'{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [{"cell_type": "poem"}]}', "is no valid notebook"),
        (b'{"nbformat": 4, "cells": [7]}', "is no notebook (it has no list of cells)"),
        (b'{"nbformat": 4, "cells": [{"cell_type": "code", "source": "1"}]}', "it lacks metadata, or a cell its kind or text"),
        (b'{"nbformat": 4, "metadata": {}, "cells": [{"cell_type": "code", "source": 7}]}', "is no valid notebook"),
    ],
)
def test_what_is_no_notebook_is_told_in_a_line(write, content, told):
    path = write(content)
    with pytest.raises(BadNotebook, match=re.escape(told)) as error:
        NotebookFile.read(path).node()
    assert "\n" not in str(error.value)


def test_a_notebook_that_is_not_as_it_should_be_is_read_as_jupyter_reads_it(write, capfd):
    path = write(
        b'{"nbformat": 4, "metadata": {}, "cells": [{"cell_type": "code", "source": ["1", "+1"], "id": 7, "colour": "red"}]}'
    )
    (cell,) = NotebookFile.read(path).node().cells
    assert (cell.source, cell.outputs, cell.metadata) == ("1+1", [], {})
    assert capfd.readouterr() == ("", "")


def test_a_notebook_that_is_not_there_is_told_with_one_that_is(write, tmp_path):
    path = write(notebook("1"))
    with pytest.raises(BadNotebook, match=r"there is no notebook '.*wakl\.ipynb'; did you mean 'walk\.ipynb'"):
        NotebookFile.read(path.with_name("wakl.ipynb"))
    with pytest.raises(BadNotebook, match="is a folder; write the path to an"):
        NotebookFile.read(tmp_path)
