"""Files of rows: each row is read as it stands there, whatever the others are like, and what cannot be read is said."""

from __future__ import annotations

from datetime import date  # noqa: TC003 - pydantic looks it up

import duckdb
import pytest

from wf_notebook import Workflow
from wf_notebook.errors import BadRows


class Told(Workflow):
    """Says what it was given; of nothing that it takes a type is said but of `day` and `tags`."""

    def run(self, text, n=1, day: date | None = None, tags: list[str] | None = None):
        return repr((text, n)) + (f" {day!r}" if day else "") + (f" {tags!r}" if tags else "")


@pytest.fixture
def told(tmp_path):
    """Return what maps a file of a name and a content, and returns what each row was given."""

    def told(name, content):
        (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
        return [row.content for row in Told().map(tmp_path / name).result()]

    return told


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("rows.csv", "text,n\na,3\nb,5\n"),
        ("rows.csv", "\ufefftext;n\r\na;3\r\n\r\nb;5"),
        ("rows.tsv", 'text\tn\n"a"\t3\nb\t5\n'),
        ("rows.json", '[{"text": "a", "n": 3}, {"text": "b", "n": 5}]'),
        ("rows.json", '{"text": ["a", "b"], "n": [3, 5]}'),
        ("rows.json", '{"text": "a", "n": 3}\n{"text": "b", "n": 5}\n'),
        ("rows.jsonl", '{"text": "a", "n": 3}\n\n{"text": "b", "n": 5}'),
    ],
)
def test_files_are_rows(told, name, content):
    assert told(name, content) == ["('a', 3)", "('b', 5)"]


def test_a_file_of_parquet_is_rows(told, tmp_path):
    duckdb.sql("SELECT 'a' AS text, [3] AS n, DATE '2026-02-01' AS day").write_parquet(str(tmp_path / "made.parquet"))
    assert told("rows.parquet", (tmp_path / "made.parquet").read_bytes()) == ["('a', [3]) datetime.date(2026, 2, 1)"]


@pytest.mark.parametrize(("name", "content"), [("rows.json", '["a", "b"]'), ("rows.jsonl", '"a"\n"b"\n')])
def test_plain_values_are_for_the_one_input(told, name, content):
    assert told(name, content) == ["('a', 1)", "('b', 1)"]


def test_what_a_row_of_json_has_does_not_depend_on_its_neighbours(told):
    rows = ['{"text": {"a": 1}}', '{"text": {"c": 2}, "n": null}', '{"text": "2026-02-01", "n": 2.0, "day": "2026-02-01"}']
    said = ["({'a': 1}, 1)", "({'c': 2}, None)", "('2026-02-01', 2.0) datetime.date(2026, 2, 1)"]
    assert told("rows.jsonl", "\n".join(rows)) == told("rows.json", f"[{', '.join(rows)}]") == said


def test_a_column_of_csv_is_of_numbers_where_all_of_it_is_and_no_digit_is_lost(told):
    assert told("rows.csv", "text,n\n007,1.5\n12,\n") == ["('007', 1.5)", "('12', None)"]
    assert told("rows.csv", "text,n\n12345678901234567890,True\n,false\n") == ["('12345678901234567890', True)", "(None, False)"]
    assert told("rows.csv", "text,n\n" + "a,1\n" * 30_000 + "a,x\n")[-2:] == ["('a', '1')", "('a', 'x')"]


def test_a_cell_of_csv_may_be_a_list_of_json(told):
    assert told("rows.csv", 'text,tags\n[a],"[""x"", ""y""]"\n') == ["('[a]', 1) ['x', 'y']"]


def test_a_text_of_csv_may_have_lines_and_any_mark_that_the_header_has_not(told):
    assert told("rows.csv", 'text\nhello; world\n"a\nb"\n') == ["('hello; world', 1)", "('a\\nb', 1)"]


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("rows.json", '[{"text":"a"},{"text":"b"},', "at line 1, column 28: .*; is it whole?"),
        ("rows.jsonl", '{"text":"a"}\n{"text":', r"at line 2, column 9: .*; is it whole\?"),
        ("rows.csv", 'text\n"a', r"at line 2: unexpected end of data; is it whole\?"),
        ("rows.csv", "text,n\na,1\nb\n", "at line 3: it has 1 of 2 fields; quote what has a comma in it"),
        ("rows.csv", "text,text\na,b\n", "two columns of '.*rows.csv' are named 'text'; rename one, or drop it"),
        ("rows.csv", "", "'.*rows.csv' is empty; give a file that begins with the names of its columns"),
        ("rows.csv", "text\nbrie\nKäse\n".encode("latin-1"), "is no UTF-8 at line 3; save it as UTF-8, or read it by pandas"),
        ("rows.parquet", "PAR1", "rows.parquet' cannot be read: "),
    ],
)
def test_what_cannot_be_read_is_said_with_its_line_and_nothing_is_done(told, name, content, says):
    with pytest.raises(BadRows, match=says) as caught:
        told(name, content)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_there_or_of_no_kind_that_can_be_read_is_refused():
    with pytest.raises(BadRows, match=r"^there is no file 'rows.csv'; give the path of a .csv, .tsv, .json"):
        Told().map("rows.csv")
    with pytest.raises(BadRows, match=r"^'rows.xlsx' is no file of rows; give the path of a .csv"):
        Told().map("rows.xlsx")
