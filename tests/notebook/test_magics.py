from __future__ import annotations

import shutil

import pytest
from IPython.utils.capture import capture_output

from wf_notebook import RunResponse
from wf_notebook.errors import (
    BadArguments,
    BadCell,
    BadRunOutput,
    BadStorage,
    MissingInput,
    UnknownInput,
    UnknownOption,
    UnknownWorkflow,
)

IMPORTS = "from wf_notebook import RunResponse, Workflow\n"
BLOG = f"""{IMPORTS}
class Blog(Workflow):
    def run(self, topic: str, n: int = 1):
        self.session_state["topics"] = [*self.session_state.get("topics", []), topic]
        yield "On "
        yield topic * n
"""


@pytest.fixture
def blog(cells):
    """Return the cells after one that defined and ran `blog`."""
    cells.good(f'%%workflow blog topic="cats"\n{BLOG}')
    return cells


# -- define and run ------------------------------------------------------------------------------------------------------------


def test_a_cell_defines_a_workflow_and_runs_it(cells):
    response = cells.good(f'%%workflow blog topic="cats" n=2\n{BLOG}')
    assert (type(response), response.content) == (RunResponse, "On catscats")
    assert cells.good("type(blog).__name__, blog.session_id, blog.session_state") == ("Blog", "blog", {"topics": ["cats"]})


def test_the_record_is_shown_once_and_the_response_is_in_underscore(blog):
    response = blog.good('%workflow blog topic="dogs"')
    assert [output["data"]["text/plain"].splitlines()[2] for output in blog.displayed] == ["On dogs"]
    assert blog.printed.strip() == "Out[2]: <the response above>"
    assert blog.good("_") is response
    assert blog.printed.strip() == "Out[3]: On dogs"


def test_a_line_gives_its_response_and_shows_it_once_more_when_asked(blog):
    assert blog.good('x = %workflow blog topic="dogs"\nx.content') == "On dogs"
    blog.good("x")
    assert blog.printed.strip() == "Out[3]: On dogs"


def test_an_underscore_of_the_users_own_stays(blog):
    blog.good("_ = 'mine'")
    blog.good('%workflow blog topic="dogs"')
    assert blog.good("_") == "mine"


def test_the_record_says_what_was_answered_and_what_changed_and_carries_the_ids(blog):
    run = blog.good('%workflow blog topic="dogs"\nblog.last_run')
    shown = blog.displayed[0]
    head, answer, changes = shown["data"]["text/plain"].split("\n\n")
    assert head.startswith("Blog · session blog · ✓ completed · ")
    assert (answer, changes) == ("On dogs", "session_state: topics (append)")
    assert shown["metadata"]["wf_notebook"]["run_id"] == run.run_id
    assert "<summary>session_state: 1 change</summary>" in shown["data"]["text/html"]
    assert "[&#x27;cats&#x27;, &#x27;dogs&#x27;]" in shown["data"]["text/html"]


def test_a_batch_run_and_several_outputs_are_shown_each_by_itself(cells):
    source = f"%%workflow pair\n{IMPORTS}class Pair(Workflow):\n    def run(self):\n        return ['one', 'two']\n"
    assert [each.content for each in cells.good(source)] == ["one", "two"]
    assert cells.text.endswith("one\n\ntwo")
    cells.good("_")
    assert cells.printed.endswith("one\n\ntwo\n")


def test_a_run_without_output_is_no_value(cells):
    assert cells.good(f"%%workflow quiet\n{IMPORTS}class Quiet(Workflow):\n    def run(self): pass\n") is None
    assert "✓ completed" in cells.text


@pytest.mark.parametrize(
    "method", ["async def run(self):\n        return 'done'", "async def arun(self):\n        yield 'do'\n        yield 'ne'"]
)
def test_an_async_workflow_runs_from_a_cell_too(cells, method):
    response = cells.good(f"%%workflow later\n{IMPORTS}class Later(Workflow):\n    {method}\n")
    assert response.content == "done"


def test_the_body_may_await_and_use_magics(cells):
    cells.good(f"%%workflow later\nimport asyncio\nn = await asyncio.sleep(0, 3)\nhere = %pwd\n{IMPORTS}"
               "class Later(Workflow):\n    def run(self):\n        return f'{n}'\n")  # fmt: skip
    assert cells.good("_.content") == "3"
    assert cells.good("isinstance(here, str)")


def test_a_backslash_continues_the_line(cells):
    assert cells.good(f'%%workflow blog \\\n    topic="cats" \\\n    n=2\n{BLOG}').content == "On catscats"


def test_a_line_sees_the_variables_of_the_function_that_it_is_in(blog):
    blog.good("def ask(topic):\n    %workflow blog topic=topic\n    return blog.session_state['topics'][-1]")
    assert blog.good("ask('owls')") == "owls"


# -- names ---------------------------------------------------------------------------------------------------------------------


def test_without_a_name_the_instance_is_named_after_its_class(cells):
    cells.good(f"%%workflow\n{IMPORTS}class BlogPost(Workflow):\n    def run(self): yield 'x'\n")
    assert cells.good("blog_post.session_id") == "blog_post"


def test_one_of_several_classes_is_chosen_by_its_name(cells):
    source = f"{IMPORTS}class News(Workflow):\n    def run(self): return 'news'\n{BLOG}"
    assert cells.good(f"%%workflow news\n{source}").content == "news"
    assert isinstance(cells.bad(f"%%workflow\n{source}"), BadCell)


def test_a_cell_without_a_class_is_bound_into_one(cells):
    cells.good("limit = 'mine'\ndef helper(self): return 'mine'\nfactor = 2")
    source = (
        '"""Repeats."""\nlimit = 3\ndef helper(self, word):\n    return word * self.limit\n'
        "def run(self, word):\n    yield self.helper(word)\n"
    )
    assert cells.good(f"%%workflow repeat word='ab'\n{source}").content == "ababab"
    assert cells.good("Repeat.__doc__, type(repeat) is Repeat, limit, helper(None)") == ("Repeats.", True, 3, "mine")
    assert cells.good("'run' in globals()") is False


def test_a_cell_without_a_workflow_class_may_have_helper_classes(cells):
    cells.good("%%workflow post\nfrom pydantic import BaseModel\nclass Headline(BaseModel):\n    title: str\n\n"
               "def run(self):\n    yield Headline(title='cats')\n")  # fmt: skip
    assert cells.good("post.last_run.status, Headline.__name__, type(post).__name__, 'run' in globals()") == (
        *("completed", "Headline", "Post", False),
    )


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("%%workflow\nclass X: ...\ndef run(self): ...", "a cell with run(self, …) and no class needs a name: %%workflow NAME"),
        ("%%workflow\ndef run(self): ...", "a cell with run(self, …) and no class needs a name: %%workflow NAME"),
        (
            "%%workflow x\nimport os",
            "the cell defines no workflow; write a subclass of Workflow, or run(self, …), or drop the %%workflow",
        ),
        ("%%workflow x\ndef run(n=1): ...", "the cell defines no workflow; run(n=1) lacks self: write run(self, n=1)"),
        ("%%workflow x\ndef arun(): ...", "the cell defines no workflow; arun() lacks self: write arun(self)"),
        ("%%workflow x\ndef rum(self): ...", "the cell defines no workflow; it has rum(); did you mean 'run'?"),
        ("%%workflow x\nclass X: ...", "the cell defines no workflow: 'X' is no subclass of Workflow"),
        (
            "%%workflow x\ndef run(self): ...\ndef run_id(self): ...",
            "'run_id' belongs to every workflow; give what the cell defines another name",
        ),
    ],
)
def test_a_cell_that_defines_no_workflow_is_refused(cells, source, message):
    error = cells.bad(source)
    assert (type(error), str(error)) == (BadCell, message)


def test_a_class_that_was_defined_anew_is_used_and_its_session_goes_on(blog):
    blog.good("class Blog(Workflow):\n    def run(self, topic):\n        yield f'{len(self.session_state[\"topics\"])} so far'")
    assert blog.good("%workflow blog topic='x'").content == "1 so far"
    assert "blog: Blog was defined anew; this runs the new one" in blog.printed


def test_a_class_of_an_ordinary_cell_runs_by_either_name(cells):
    cells.good(BLOG)
    assert cells.good("%workflow Blog topic='x'").content == "On x"
    assert cells.good("%workflow blog topic='y'\nblog.session_state['topics']") == ["x", "y"]


# -- options -------------------------------------------------------------------------------------------------------------------


def test_the_session_is_the_option_then_the_setting_then_the_environment_then_the_name(cells, monkeypatch):
    def session(line):
        return cells.good(f"%%workflow blog {line} topic='x'\n{BLOG}").session_id

    assert session("") == "blog"
    monkeypatch.setenv("WF_SESSION", "from-env")
    assert session("") == "from-env"
    cells.good("%config WorkflowMagics.session = 'from-config'")
    assert session("") == "from-config"
    assert session("-s {1 + 1}-{'x'}") == "2-x"


def test_running_again_on_another_session_goes_on_there(blog):
    assert blog.good("%workflow blog -s other topic='x'\nblog.session_id") == "other"
    assert blog.good("%workflow blog topic='y'\nblog.session_state") == {"topics": ["x", "y"]}


def test_a_line_says_that_it_stays_where_an_option_led_and_the_cell_that_it_goes_back(blog):
    blog.good("%workflow blog -s trial topic='x'")
    assert "session" not in blog.printed
    blog.good("%workflow blog topic='y'")
    assert "blog: still in session 'trial' of memory:; its cell goes back to its own" in blog.printed
    blog.good(f"%%workflow blog topic='z'\n{BLOG}")
    assert "blog: back in session 'blog' of memory:, from session 'trial' of memory:" in blog.printed
    blog.good("%workflow blog topic='z'")
    assert "session" not in blog.printed


def test_a_new_folder_for_workflows_is_named_in_a_plain_line_once_and_not_by_a_quiet_run(cells, working_directory, monkeypatch):
    monkeypatch.delenv("WF_STORAGE")
    with capture_output() as captured:
        cells.shell.run_cell(f"%%workflow blog -n\n{BLOG}").raise_error()
    assert captured.stderr == ""
    assert captured.stdout == f"workflows are kept in {working_directory / '.workflows' / 'workflows.duckdb'}\n"
    shutil.rmtree(working_directory / ".workflows")
    cells.good(f"%%workflow other -q -n\n{BLOG}")
    assert "are kept in" not in cells.printed


def test_the_storage_is_the_option_then_the_setting(cells, working_directory):
    cells.good("%config WorkflowMagics.storage = 'sqlite:///setting.db'")
    cells.good(f"%%workflow blog topic='x'\n{BLOG}")
    cells.good(f"%%workflow blog --storage sqlite:///option.db topic='x'\n{BLOG}")
    assert sorted(path.name for path in working_directory.glob("*.db")) == ["option.db", "setting.db"]


def test_a_cell_that_is_run_again_goes_on_with_what_was_edited_in_between(blog):
    blog.good("blog.session_state['note'] = 'edited'")
    blog.good(f"%%workflow blog topic='dogs'\n{BLOG}")
    assert blog.good("blog.session_state") == {"topics": ["cats", "dogs"], "note": "edited"}


def test_reset_starts_from_an_empty_state_and_a_mistake_resets_nothing(blog):
    blog.bad("%workflow blog --reset tpic='x'")
    assert blog.good("blog.session_state") == {"topics": ["cats"]}
    blog.good("%workflow blog --reset topic='x'")
    assert blog.good("blog.session_state, Blog(session_id='blog', storage=blog.storage).session_state") == (
        {"topics": ["x"]},
        {"topics": ["x"]},
    )


def test_no_run_defines_and_says_how_to_run(cells):
    assert cells.good(f"%%workflow blog -n topic='x'\n{BLOG}") is None
    assert cells.text == "blog is defined\nrun it: %workflow blog"
    assert cells.good("blog.last_run") is None


def test_a_cell_that_lacks_an_input_defines_and_says_what_it_needs(cells):
    assert cells.good(f"%%workflow blog\n{BLOG}") is None
    assert cells.text == 'blog is defined; it needs topic (str)\nrun it: %workflow blog topic="…"'
    assert cells.good("%workflow blog topic='x'").content == "On x"


def test_out_names_a_variable_and_quiet_shows_nothing(blog):
    blog.good("%workflow blog -q -o answer topic='x'")
    assert (blog.displayed, blog.text) == ([], "")
    assert blog.good("answer.content") == "On x"


def test_no_stream_shows_the_record_alone(blog):
    assert blog.good("%workflow blog --no-stream topic='x'").content == "On x"
    assert len(blog.displayed) == 1


def test_help_lists_the_options(cells):
    assert cells.good("%workflow -h") is None
    assert "-s, --session ID       the session to load and save" in cells.printed


# -- mistakes ------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "kind", "message"),
    [
        ("%workflow blgo topic='x'", UnknownWorkflow, "no workflow named 'blgo'; did you mean 'blog'?"),
        ("%workflow zzz", UnknownWorkflow, "no workflow named 'zzz'; there are 'blog'"),
        ("%workflow blog tpic='x'", UnknownInput, "'blog' has no input 'tpic'; did you mean 'topic'?"),
        ("%workflow blog", MissingInput, "'blog' needs 'topic'; write %workflow blog topic=\"…\""),
        ("%workflow blog --sesion x", UnknownOption, "no option '--sesion'; did you mean '--session'?"),
        ("%workflow", BadArguments, "%workflow NAME runs a workflow again; there are 'blog'"),
        ("%workflow blog topic=two words", BadArguments, 'topic=two words is read as Python; for text write topic="two words"'),
    ],
)
def test_a_mistake_on_the_line_is_one_line_with_a_remedy(blog, line, kind, message):
    error = blog.bad(line)
    assert (type(error), str(error)) == (kind, message)
    assert blog.printed.strip() == f"{kind.__name__}: {message}"


def test_an_unknown_kind_of_storage_is_refused_and_the_workflow_stays(blog):
    assert isinstance(blog.bad("%workflow blog --storage mysql://x topic='x'"), BadStorage)
    assert blog.good("blog.session_state") == {"topics": ["cats"]}


def test_a_run_that_gives_what_is_no_response_fails_in_one_line_and_is_recorded(cells):
    error = cells.bad(f"%%workflow number\n{IMPORTS}class Number(Workflow):\n    def run(self):\n        return 5\n")
    assert isinstance(error, BadRunOutput)
    assert "✗ failed" in cells.text
    assert cells.printed.strip().splitlines()[-1].startswith("BadRunOutput: run() gave a value of type 'int'")


def test_what_was_said_before_a_failure_stays_in_the_record(cells):
    error = cells.bad(
        f"%%workflow bad\n{IMPORTS}class Bad(Workflow):\n    def run(self):\n        self.session_state['n'] = 1\n"
        "        yield 'part'\n        raise ValueError('oh no')\n"
    )
    assert isinstance(error, ValueError)
    head, answer, changes = cells.text.split("\n\n")
    assert " · ✗ failed: ValueError: oh no · " in head
    assert (answer, changes) == ("part", "session_state: n (set)")


# -- loading -------------------------------------------------------------------------------------------------------------------


def test_unloading_takes_everything_out_again(cells, shell):
    matchers, callbacks = len(shell.Completer.custom_matchers), len(shell.events.callbacks["post_run_cell"])
    cells.good("%config WorkflowMagics.storage = 'sqlite:///setting.db'")
    shell.run_line_magic("unload_ext", "wf_notebook")
    assert "workflow" not in {*shell.magics_manager.magics["line"], *shell.magics_manager.magics["cell"]}
    assert [type(each).__name__ for each in shell.configurables].count("WorkflowMagics") == 0
    assert len(shell.Completer.custom_matchers) == matchers - 1
    assert len(shell.events.callbacks["post_run_cell"]) == callbacks
    cells.good(BLOG)
    assert cells.good("Blog(storage='default').storage.url") == "memory:"


def test_loading_again_after_unloading_works(cells, shell):
    shell.run_line_magic("reload_ext", "wf_notebook")
    assert cells.good(f"%%workflow blog topic='x'\n{BLOG}").content == "On x"
    assert [type(each).__name__ for each in shell.configurables].count("WorkflowMagics") == 1


def test_a_private_run_leaves_no_record_and_the_next_one_does(cells):
    cells.good(
        "%%workflow diary --private entry='secret'\ndef run(self, entry):\n    self.session_state['n'] = 1\n    yield entry"
    )
    runs = "len(diary.storage._in_transaction(lambda tx: tx.rows('SELECT * FROM runs', ()), write=False))"
    assert cells.good(runs) == 0
    cells.good("%workflow diary entry='open'")
    assert cells.good(runs) == 1
    assert cells.good("diary.storage.session('diary').state") == {"n": 1}
