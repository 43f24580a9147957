from __future__ import annotations

import ast
import traceback

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from wf_notebook.errors import BadArguments, UnknownOption
from wf_notebook.ipynb.line import read_line
from wf_notebook.ipynb.options import OPTIONS, Options, help_text

NAMESPACE = {
    "a": 5,
    "s": 2,
    "rows": [1, 5],
    "more": {"deep": True},
    "user": "ada",
    "d": {"x y": "z"},
    "__builtins__": __builtins__,
}


@pytest.mark.parametrize(
    ("line", "inputs"),
    [
        ('blog topic="large language models" n=3', {"topic": "large language models", "n": 3}),
        ('blog topic="x, y", n=3,', {"topic": "x, y", "n": 3}),
        ("rows=[x for x in rows if x > 3] n=rows[0]", {"rows": [5], "n": 1}),
        ('text=", ".join(["a", "b"]) n=2', {"text": "a, b", "n": 2}),
        ("same=a==5 other=(b := 3)", {"same": True, "other": 3}),
        ("choice=a if s else 2 n=-1 power=a**2 less=a - s", {"choice": 5, "n": -1, "power": 25, "less": 3}),
        ('text=f"{a=} {a:>3}" n=a', {"text": "a=5   5", "n": 5}),
        ("**more n=1", {"deep": True, "n": 1}),
        ("n=1 **more", {"n": 1, "deep": True}),
        ("n=3  # as before", {"n": 3}),
    ],
)
def test_inputs_are_python_with_or_without_commas(line, inputs):
    assert read_line(line).inputs(dict(NAMESPACE)) == inputs


def test_a_lambda_keeps_its_own_defaults_and_commas():
    inputs = read_line("key=lambda x, y=2: x + y, n=3").inputs({})
    assert (inputs["key"](1), inputs["n"]) == (3, 3)


@given(st.text("ab ,'\"\\=-*{}[]()#:\n", max_size=20), st.integers(), st.lists(st.text(max_size=5), max_size=3))
@example("it's --quiet **x n=1", -1, ["-s demo"])
def test_every_value_that_python_can_write_is_read_back(text, number, texts):
    line = f"topic={text!r} n={number} texts={texts!r} -q"
    read = read_line(line)
    assert (read.inputs({}), read.options.quiet) == ({"topic": text, "n": number, "texts": texts}, True)


@given(st.from_regex(r"[a-z]{1,3}( [+*/-] [a-z]{1,3}|\[[a-z]\]|\.[a-z]|\([a-z], k=-1\)){0,4}", fullmatch=True))
def test_an_expression_as_people_write_it_is_never_cut(source):
    try:
        ast.parse(f"({source})", mode="eval")
    except SyntaxError:
        return  # a keyword
    arguments = read_line(f"x={source} y=1").arguments
    assert [argument.source for argument in arguments] == [source, "1"]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("topic=LLMs in 2026", 'topic=LLMs in 2026 is read as Python; for text write topic="LLMs in 2026"'),
        ("topic=cats and dogs n=3", 'topic=cats and dogs is read as Python; for text write topic="cats and dogs"'),
        (
            "topic=large language models",
            'topic=large language models is read as Python; for text write topic="large language models"',
        ),
        ("topic=it's me n=3", "topic=it's me is read as Python; for text write topic=\"it's me\""),
        ("topic=what? n=3", 'topic=what? is read as Python; for text write topic="what?"'),
        ("topic=C# in depth", 'topic=C# in depth is read as Python; for text write topic="C# in depth"'),
        ("topic=Rome, Paris", 'topic=Rome, Paris is read as Python; for text write topic="Rome, Paris"'),
        ('topic=a "b" c', 'topic=a "b" c is read as Python; for text write topic=\'a "b" c\''),
        ("point=1, 2", "point=1, 2 is read as Python; for several values write point=(1, 2)"),
        ("rows=[1, 2", "rows=[1, 2 is read as Python: '[' was never closed"),
        ("rows=df[df.x > 1]", "rows=df[df.x > 1] is read as Python: name 'df' is not defined"),
        ("n=", "input 'n' has no value; write n=…"),
        ("n= m=2", "input 'n' has no value; write n=…"),
        ("n=1 n=2", "input 'n' is given twice; give it once"),
        ("n=1 **{'n': 2}", "input 'n' is given twice; give it once"),
        ("**5", "**5 is no mapping of names to values"),
        ("blog again", "an input has a name: write name=value, not again"),
        ('blog "text"', 'an input has a name: write name=value, not "text"'),
        ("my-blog", "'my-blog' is no name for a workflow; write my_blog, for instance, then options, then inputs as name=value"),
        ("1st", "'1st' is no name for a workflow; write NAME, then options, then inputs as name=value"),
        ("class", "'class' is no name for a workflow; write NAME, then options, then inputs as name=value"),
        ("--session", "--session needs a value: --session ID"),
        ("-s --reset", "-s needs a value: -s ID"),
        ("--reset=yes", "--reset takes no value, not '=yes'"),
        ("-s 'my demo", "the quote in -s 'my demo is never closed"),
        ("-s {nobody}", "{nobody} in --session has no value: name 'nobody' is not defined"),
        ("-s {", "{ in --session is no Python expression in braces; write {{ for a brace"),
        ("-o 1x", "--out '1x' is no name for a variable; write --out VAR"),
        ("-s ''", "--session is empty; write --session ID"),
    ],
)
def test_what_cannot_be_read_is_told_with_what_to_write(line, message):
    def read_all():
        read = read_line(line)
        read.options.expand({})
        read.inputs({})

    with pytest.raises(BadArguments) as caught:
        read_all()
    assert str(caught.value) == message


def test_an_input_that_is_no_python_is_refused_before_anything_runs():
    with pytest.raises(BadArguments, match="for text write"):
        read_line("topic=two words")


def test_an_unknown_option_gets_a_suggestion():
    with pytest.raises(UnknownOption) as caught:
        read_line("blog --sesion demo")
    assert str(caught.value) == "no option '--sesion'; did you mean '--session'?"
    for line in ("blog -z", "blog --zone use"):
        with pytest.raises(UnknownOption, match="; there are --session, --storage, "):
            read_line(line)


def test_short_switches_may_be_joined():
    assert read_line("blog n=3 -qn").options == read_line("blog -nq n=3").options == Options(quiet=True, no_run=True)


def test_an_option_is_given_once():
    with pytest.raises(BadArguments) as caught:
        read_line("blog --session x -s y")
    assert str(caught.value) == "--session is given twice; give it once"


def test_a_traceback_of_an_input_shows_what_was_written():
    with pytest.raises(ZeroDivisionError) as caught:
        read_line("blog n=1/0").inputs({})
    assert "".join(traceback.format_exception(caught.value)).splitlines()[-3:-1] == [
        '  File "<n=…>", line 1, in <module>',
        "    1/0",
    ]


def test_options_stand_before_or_after_the_inputs():
    expected = Options(session="my demo", storage="duckdb:///a.duckdb", quiet=True)
    assert read_line("blog -s 'my demo' --storage=duckdb:///a.duckdb -q n=1").options == expected
    assert read_line("blog n=a -s 'my demo' --storage duckdb:///a.duckdb -q").options == expected


def test_expressions_in_braces_are_filled_in_in_options_only():
    read = read_line('-s {user}-{d["x y"]}-{{a}} topic="{user}"')
    assert read.options.expand(dict(NAMESPACE)).session == "ada-z-{a}"
    assert read.inputs({}) == {"topic": "{user}"}


def test_an_exception_of_the_users_expression_is_theirs():
    with pytest.raises(ZeroDivisionError):
        read_line("n=1/0").inputs({})

    def fail():
        return undefined  # noqa: F821 - that is the point

    with pytest.raises(NameError):
        read_line("n=fail()").inputs({"fail": fail})


def test_the_help_names_every_option():
    assert [line.split("  --")[-1].split()[0] for line in help_text().replace(", --", "  --").splitlines()] == [
        option.name for option in OPTIONS
    ]
