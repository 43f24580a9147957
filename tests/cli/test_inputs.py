"""key=value as a shell's user writes it, and what run() is given for it."""

from __future__ import annotations

import io
from dataclasses import dataclass
from datetime import date
from enum import Enum
from pathlib import Path
from typing import Any, Literal

import pytest

from wf_notebook.cli.inputs import hints_of, read_inputs
from wf_notebook.errors import BadArguments


class Tone(Enum):
    dry = "dry"
    warm = "warm"


@dataclass
class Post:
    title: str
    n: int = 1


@pytest.mark.parametrize(
    ("text", "hint", "value"),
    [
        ("cheese", str, "cheese"),
        ("3", str, "3"),
        ("None", str | None, "None"),
        ("", str, ""),
        ("a=b", str, "a=b"),
        ("cheese", Any, "cheese"),
        ("two words, and more", Any, "two words, and more"),
        ("3", Any, 3),
        ("007", Any, "007"),
        ("'3'", Any, "3"),
        ("[1, 'a']", Any, [1, "a"]),
        ("true", Any, True),
        ("null", Any, None),
        ("1e3", Any, 1000.0),
        ("3", int, 3),
        ("3", float, 3.0),
        ("3", int | None, 3),
        ("yes", bool, True),
        ("0", bool, False),
        ("False", bool, False),
        ("cheese", Literal["cheese", "ham"], "cheese"),
        ("1", Literal["cheese", "1"], "1"),
        ("dry", Tone, Tone.dry),
        ("2026-01-02", date, date(2026, 1, 2)),
        ("notes.txt", Path, Path("notes.txt")),
        ('{"title": "a", "n": 2}', Post, Post("a", 2)),
        ("[1, 2]", list[int], [1, 2]),
        ("\\@home", str, "@home"),
    ],
)
def test_a_value_is_what_the_signature_says_it_is(text, hint, value):
    found = read_inputs([f"x={text}"], {"x": hint})["x"]
    assert (found, type(found)) == (value, type(value))


def test_a_value_comes_from_a_file_or_from_stdin(monkeypatch):
    Path("rows.json").write_text('[{"n": 1}]', encoding="utf-8")
    Path("notes.txt").write_text("3 words here\n", encoding="utf-8")
    monkeypatch.setattr("sys.stdin", io.StringIO("from a pipe\n"))
    assert read_inputs(["rows=@rows.json", "text=@notes.txt", "more=-"], {"text": str}) == {
        "rows": [{"n": 1}],
        "text": "3 words here\n",
        "more": "from a pipe",
    }


@pytest.mark.parametrize(
    ("written", "said"),
    [
        (["cheese"], "an input has a name: write name=value, not 'cheese'"),
        (["two words=1"], "an input has a name: write name=value, not 'two words=1'"),
        (["n=1", "n=2"], "input 'n' is given twice; give it once"),
        (["n=three"], "n=three is no int; write n=3"),
        (["n=2.5"], "n=2.5 does not fit int: input should be a valid integer, got a number with a fractional part"),
        (["deep=maybe"], "deep=maybe is no bool; write deep=true"),
        (["tone=wet"], "tone=wet does not fit Tone: input should be 'dry' or 'warm'"),
        (["kind=sand"], "kind=sand does not fit Literal['clay', '1']: input should be 'clay' or '1'"),
        (["rows=@none.json"], "rows=@none.json: 'none.json' cannot be read (no such file or directory); name another file"),
        (["rows=@bad.json"], "rows=@bad.json: 'bad.json' is no JSON (Expecting value: line 1 column 1 (char 0)); mend it"),
    ],
)
def test_what_does_not_fit_is_said_in_a_line(written, said):
    Path("bad.json").write_text("nothing", encoding="utf-8")
    with pytest.raises(BadArguments) as caught:
        read_inputs(written, {"n": int, "deep": bool, "tone": Tone, "kind": Literal["clay", "1"]})
    assert str(caught.value) == said


def test_an_annotation_that_cannot_be_found_stands_in_no_ones_way():
    def run(self, topic: "str", n: "int", odd: "Missing" = None):  # noqa: F821, UP037 - as somebody may write it
        ...

    hints = hints_of(run)
    assert (hints["topic"], hints["n"], hints["odd"]) == (str, int, Any)
