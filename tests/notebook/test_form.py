"""A form: a widget for each input, a run in a thread, its output below, and what is left of it in a saved notebook."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import ipywidgets
import pytest
from IPython.display import publish_display_data
from playwright.sync_api import expect

from wf_notebook import Workflow
from wf_notebook.errors import BadArguments, UnknownInput, UnknownWorkflow
from wf_notebook.notebook.form import Form
from wf_notebook.notebook.pane import OUTPUTS, PAUSE, PRINTED, VIEW, Pane

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

    from tests.conftest import Lab

KINDS = """\
from __future__ import annotations
import enum
from datetime import date, datetime, time, timezone
from typing import Annotated, Any, Literal, NewType, Optional
from pydantic import BaseModel, Field
from wf_notebook import Workflow

class Tone(enum.Enum):
    WARM = 1
    COLD = 2

class Author(BaseModel):
    name: str
    age: int = Field(30, ge=0, le=120, description="in years")

class Tree(BaseModel):
    name: str
    leaves: list[str] = []

Score = NewType("Score", int)
rows, noon = [1, 2, 3], datetime(2026, 1, 2, 12, tzinfo=timezone.utc)

def form(annotation, default=..., **given):
    class Kind(Workflow):
        def run(self, x):
            yield "x"
    function = Kind.run.__wrapped__
    function.__annotations__ = {} if annotation is None else {"x": annotation}
    function.__defaults__ = None if default is ... else (default,)
    return Kind().form(**given)
"""
TEXT, SLIDER, PICK = ("TextField", "Text"), ("NumberField", "IntSlider"), ("ChoiceField", "Dropdown")
WRITTEN = ("ExpressionField", "Text")


@pytest.fixture
def kinds(cells):
    """Return cells in which `form(annotation, default)` makes the form of one input, x."""
    cells.good(KINDS)
    return cells


@pytest.mark.parametrize(
    ("arguments", "field", "value"),
    [
        ("str", TEXT, None),
        ("'str', 'cats'", TEXT, "'cats'"),
        ("None", TEXT, None),
        ("None, 'cats'", TEXT, "'cats'"),
        ("None, None", WRITTEN, "None"),
        ("str, 'two\\nlines'", ("TextField", "Textarea"), "'two\\nlines'"),
        ("str, 'x' * 61", ("TextField", "Textarea"), "'x' * 61"),
        ("str, ''", TEXT, "''"),
        ("Optional[str], None", TEXT, "None"),
        ("str, None", TEXT, "None"),
        ("bool", ("CheckField", "Checkbox"), "False"),
        ("'bool', True", ("CheckField", "Checkbox"), "True"),
        ("bool | None, None", PICK, "None"),
        ("int", ("NumberField", "IntText"), "0"),
        ("Score, 3", ("NumberField", "IntText"), "3"),
        ("int, 2**60", WRITTEN, "2**60"),
        ("float, 1", ("NumberField", "FloatText"), "1.0"),
        ("float, float('inf')", WRITTEN, "float('inf')"),
        ("int | None, 3", WRITTEN, "3"),
        ("Annotated[int, Field(ge=1, le=5)], 2", SLIDER, "2"),
        ("'Annotated[int, Field(gt=1, lt=5)]'", SLIDER, "2"),
        ("Annotated[int, Field(ge=1, le=5)], 7", WRITTEN, "7"),
        ("Annotated[int, Field(ge=1)], 7", ("NumberField", "BoundedIntText"), "7"),
        ("Annotated[float, Field(gt=0, le=1)], 0.5", ("NumberField", "FloatSlider"), "0.5"),
        ("Annotated[float, Field(le=1)]", ("NumberField", "BoundedFloatText"), "0.0"),
        ("Literal['a', 1], 'a'", PICK, "'a'"),
        ("Literal['a', 1]", PICK, None),
        ("Tone, Tone.COLD", PICK, "Tone.COLD"),
        ("Optional[Tone], None", PICK, "None"),
        ("Literal[1, True], True", PICK, "True"),
        ("date, date(2026, 1, 2)", ("TimeField", "DatePicker"), "date(2026, 1, 2)"),
        ("date", ("TimeField", "DatePicker"), None),
        ("date | None, None", ("TimeField", "DatePicker"), "None"),
        ("datetime, datetime(2026, 1, 2)", ("TimeField", "NaiveDatetimePicker"), "datetime(2026, 1, 2)"),
        ("datetime, noon", ("TimeField", "DatetimePicker"), "noon"),
        ("time, time(12)", ("TimeField", "TimePicker"), "time(12)"),
        ("list[int], [1, 2]", WRITTEN, "[1, 2]"),
        ("list[int]", WRITTEN, None),
        ("Any, rows", WRITTEN, "rows"),
        ("'Unknown', 5", WRITTEN, "5"),
        ("object, form", WRITTEN, "form"),
        ("Author, Author(name='Ada')", ("ModelField", "VBox"), "Author(name='Ada')"),
        ("Tree, Tree(name='oak')", WRITTEN, "Tree(name='oak')"),
    ],
)
def test_an_input_has_the_widget_of_its_type_and_its_default_is_filled_in(kinds, arguments, field, value):
    form = kinds.good(f"form({arguments})")
    x = form.fields["x"]
    assert (type(x).__name__, type(x.control).__name__) == field
    expected = {} if value is None else {"x": kinds.good(value)}
    assert form.values == expected
    assert list(map(type, form.values.values())) == list(map(type, expected.values()))


def test_a_value_may_be_given_in_place_of_a_default_and_an_unknown_one_is_refused(kinds):
    assert kinds.good("form(str, x='given').values") == {"x": "given"}
    assert kinds.good("form(int, 1, x='no number').values") == {"x": "no number"}
    assert kinds.good("form(Any, x=form).values['x'] is form")
    error = kinds.bad("form(str, y='given')")
    assert (type(error), str(error)) == (UnknownInput, "'Kind' has no input 'y'; it takes 'x'")


def test_an_optional_text_that_is_emptied_is_none_and_another_one_is_empty(kinds):
    for annotation, value in [("Optional[str]", None), ("str", "")]:
        form = kinds.good(f"form({annotation}, 'text')")
        form.fields["x"].control.value = ""
        assert form.values == {"x": value}


def test_an_expression_is_python_in_the_namespace_of_the_moment(kinds):
    form = kinds.good("form(list, [])")
    form.fields["x"].control.value = "rows + [more]"
    kinds.good("more = 4")
    assert form.values == {"x": [1, 2, 3, 4]}


@pytest.mark.parametrize(
    ("source", "error"),
    [
        ("[1/0]", "ZeroDivisionError: division by zero"),
        ("two words", 'x=two words is read as Python; for text write x="two words"'),
        ("[nothing]", "x=[nothing] is read as Python: name 'nothing' is not defined"),
        ("", "required; fill it in"),
    ],
)
def test_what_is_wrong_is_said_in_one_line_beside_its_field_and_nothing_runs(kinds, source, error):
    form = kinds.good("form(list)")
    form.fields["x"].control.value = source
    form.run_button.click()
    assert (form.fields["x"].error, form.is_running, form.run) == (error, False, None)
    form.fields["x"].control.value = "[1]"
    form.run_button.click()
    form.wait()
    assert (form.fields["x"].error, form.run.inputs) == ("", {"x": [1]})


def test_a_model_is_validated_and_its_complaint_is_one_line(kinds):
    form = kinds.good("form(Author)")
    x = form.fields["x"]
    form.start()
    assert x.error == "'name' of 'x' must be filled in"
    x.fields["name"].control.value = "Ada"
    assert form.values == {"x": kinds.good("Author(name='Ada')")}
    assert type(x.fields["age"].control) is ipywidgets.IntSlider
    kinds.good("class Author(Author):\n    __init__ = None")
    x.fields["age"].control.max = 200
    x.fields["age"].control.value = 150
    form.start()
    assert x.error == "age: Input should be less than or equal to 120"


BLOG = '''\
from typing import Annotated
from pydantic import Field
from wf_notebook import Workflow, RunResponse
class Blog(Workflow):
    def run(self, topic: str, words: Annotated[int, Field(ge=50, le=500, description="about <b>so</b> long")] = 200):
        """Write a post.

        Args:
            topic (str): What it is about,
                in a few words.
            words: Not this.

        Yields:
            words: Neither this.
        """
        self.session_state.setdefault("topics", []).append(topic)
        yield f"On {topic}"
        if topic == "ducks":
            raise ValueError("no ducks")
'''
GATES = """\
import threading
from wf_notebook import Workflow, agents
began, go_on = threading.Event(), threading.Event()
class Waits(Workflow):
    def run(self, n: int = 1):
        yield "part"
        began.set()
        assert go_on.wait(30)
        yield " and the rest"
        yield ", all of it"
waits = Waits(session_id="waits")
"""


@pytest.fixture
def blog(cells):
    """Return cells in which `form` is the form of `blog`, in the session of that name."""
    cells.good(f"%%workflow blog -n\n{BLOG}")
    cells.good("form = blog.form()\nNone")
    return cells


def record(form: Form) -> str:
    """Return the text of the record in a form's output, and check that it is first there, once and no widget."""
    first, *others = form.output.outputs
    assert [*first["data"]] == ["text/html", "text/plain"]
    assert not any("wf_notebook" in each.get("metadata", ()) for each in others)
    assert form.pane.live.outputs == ()
    return first["data"]["text/plain"]


def test_what_an_input_is_about_is_read_from_the_docstring_and_from_field(blog):
    fields = blog.good("form.fields")
    assert {name: each.wanted.about for name, each in fields.items()} == {
        "topic": "What it is about, in a few words.",
        "words": "about <b>so</b> long",
    }
    assert "about &lt;b&gt;so&lt;/b&gt; long" in fields["words"].children[-1].value


def test_a_required_input_is_marked_by_a_sign_and_a_word(blog):
    fields = blog.good("form.fields")
    assert [each.control.description for each in fields.values()] == ["topic *", "words"]
    assert "* required · What it is about" in fields["topic"].children[-1].value
    assert "required" not in fields["words"].children[-1].value


def test_a_run_leaves_its_response_and_its_record_and_a_second_one_takes_their_place(blog):
    form = blog.good("form.fields['topic'].control.value = 'cats'\nform.run_button.click()\nform.wait()\nform")
    assert (form.response.content, form.run.status, form.error) == ("On cats", "completed", None)
    assert (form.run.inputs, form.values) == ({"topic": "cats", "words": 200}, {"topic": "cats", "words": 200})
    assert record(form).startswith("Blog · session blog · ✓ completed · ")
    assert record(form).endswith("\n\nOn cats\n\nsession_state: topics (set)")
    blog.good("form.fields['topic'].control.value = 'dogs'\nform.run_button.click()\nform.wait()")
    assert record(form).count("On ") == 1
    assert blog.good("blog.session_state, form.response is not None") == ({"topics": ["cats", "dogs"]}, True)


def test_a_failed_run_shows_the_users_traceback_without_our_frames(blog):
    form = blog.good("form.fields['topic'].control.value = 'ducks'\nform.start()\nform.wait()\nform")
    assert (form.run.status, repr(form.error), form.run_button.disabled) == ("failed", "ValueError('no ducks')", False)
    assert "✗ failed: ValueError: no ducks" in record(form)
    failure = form.output.outputs[-1]
    assert (failure["output_type"], failure["ename"], failure["evalue"]) == ("error", "ValueError", "no ducks")
    text = "\n".join(failure["traceback"])
    assert 'raise ValueError("no ducks")' in text
    assert "wf_notebook" not in text


def test_our_own_error_is_one_line(cells):
    cells.good(
        "from wf_notebook import Workflow\nclass Number(Workflow):\n    def run(self):\n        return 5\nform = Number().form()"
    )
    form = cells.good("form.start()\nform.wait()\nform")
    (line,) = form.output.outputs[-1]["traceback"]
    assert line.startswith("BadRunOutput: run() gave a value of type 'int'; yield or return ")


def test_what_a_run_prints_and_displays_is_in_its_form_and_what_other_cells_print_is_theirs(cells):
    cells.good("""
import sys, threading
from IPython.display import HTML, clear_output, display
from wf_notebook import Workflow, parallel
began, go_on = threading.Event(), threading.Event()
class Prints(Workflow):
    def run(self):
        print("gone")
        display(HTML("gone"))
        clear_output()
        print("one")
        print("two")
        print("three", file=sys.stderr)
        handle = display(HTML("before"), display_id=True)
        handle.update(HTML("after"))
        parallel(lambda: print("from a branch"))
        began.set()
        assert go_on.wait(30)
form = Prints().form()
""")
    cells.good("form.start()\nassert began.wait(30)\nprint('mine')\ndisplay(HTML('mine'))\ngo_on.set()\nform.wait()")
    assert (cells.printed, cells.displayed[0]["data"]["text/html"]) == ("mine\n", "mine")
    outputs = [each for each in cells.good("form.output.outputs") if "wf_notebook" not in each.get("metadata", ())]
    assert [each.get("text") or each["data"]["text/html"] for each in outputs] == [
        "one\ntwo\n",
        "three\n",
        "after",
        "from a branch\n",
    ]
    assert "_Stream" not in type(cells.good("sys.stdout")).__name__


@pytest.mark.usefixtures("shell")
def test_the_record_takes_the_place_of_a_live_output_that_nobody_could_see():
    pane = Pane()
    with pane.capturing():
        publish_display_data({VIEW: {}, "text/plain": "live"}, transient={"display_id": "run"})
        publish_display_data({"text/plain": "record"}, {"wf_notebook": {}}, transient={"display_id": "run"})
    assert pane.live.outputs == ()
    assert [each["data"] for each in pane.output.outputs] == [{"text/plain": "record"}]


@pytest.mark.usefixtures("shell")
def test_what_a_run_left_stays_until_the_next_one_shows_something():
    pane, seen = Pane(), []
    with pane.capturing():
        publish_display_data({"text/plain": "first"})
    pane.output.observe(lambda change: seen.append([each["data"]["text/plain"] for each in change.new]), "outputs")
    with pane.capturing():
        threading.Event().wait(3 * PAUSE)
        publish_display_data({"text/plain": "second"})
    with pane.capturing():
        pass
    assert seen == [["second"], []]


def test_a_flood_of_output_is_cut_and_said(cells):
    cells.good(f"""
from IPython.display import HTML, display
from wf_notebook import Workflow
class Floods(Workflow):
    def run(self, shows: bool):
        for n in range({OUTPUTS} * 2):
            display(HTML(str(n))) if shows else print("x" * ({PRINTED} // {OUTPUTS}))
        yield "end"
form = Floods().form()
""")
    form = cells.good("form.start()\nform.wait()\nform")
    text = form.output.outputs[-1]["text"]
    assert PRINTED < len(text) < PRINTED + 100
    assert text.endswith("\n… what was printed after this is not shown\n")
    form = cells.good("form.fields['shows'].control.value = True\nform.start()\nform.wait()\nform")
    assert len(form.output.outputs) == OUTPUTS + 1
    assert record(form).endswith("end")


def test_a_progress_bar_is_shown_as_it_is_now(cells):
    cells.good("""
import sys
from wf_notebook import Workflow
class Counts(Workflow):
    def run(self):
        print("counting", file=sys.stderr)
        for n in range(100_000):
            print(f"\\r{n} done", end="", file=sys.stderr)
        print("\\nend", file=sys.stderr)
form = Counts().form()
""")
    form = cells.good("form.start()\nform.wait()\nform")
    assert form.output.outputs[-1]["text"] == "counting\n99999 done\nend\n"


def test_run_is_disabled_while_it_goes_on_and_a_second_click_begins_nothing(cells):
    cells.good(GATES)
    form = cells.good("form = waits.form()\nform.start()\nassert began.wait(30)\nform")
    assert (form.run_button.disabled, form.stop_button.disabled, form.is_running) == (True, False, True)
    run_id = form.run.run_id
    form.run_button.click()
    assert (form.run.run_id, form.run.status) == (run_id, "running")
    cells.good("go_on.set()\nform.wait()")
    assert (form.run_button.disabled, form.stop_button.disabled, form.is_running) == (False, True, False)
    assert (form.run.run_id, form.response.content) == (run_id, "part and the rest, all of it")


def test_stop_ends_a_stream_keeps_what_was_said_and_may_come_twice_and_late(cells):
    cells.good(GATES)
    form = cells.good("form = waits.form()\nform.start()\nassert began.wait(30)\nform")
    form.stop_button.click()
    form.stop_button.click()
    cells.good("go_on.set()\nform.wait()")
    assert (form.run.status, form.response.content, form.error) == ("stopped", "part and the rest", None)
    assert "■ stopped" in record(form)
    form.stop_button.click()
    cells.good("form.start()\nform.wait()")
    assert (form.run.status, form.response.content) == ("completed", "part and the rest, all of it")


def test_stop_ends_a_run_that_returns_what_it_says(cells):
    cells.good("""
import threading
from wf_notebook import Workflow, parallel
from wf_notebook.run import current
began, heard = threading.Event(), threading.Event()
class Batch(Workflow):
    def run(self):
        current.get().cancel.on_cancel(heard.set)
        began.set()
        assert heard.wait(30)
        return parallel(lambda: "never")
form = Batch(session_id="batch").form()
""")
    form = cells.good("form.start()\nassert began.wait(30)\nform.stop()\nform.wait()\nform")
    assert (form.run.status, form.error) == ("stopped", None)
    assert "■ stopped" in record(form)


def test_stop_holds_for_a_run_that_has_not_begun(cells):
    cells.good("""
import threading
from wf_notebook import Workflow
from wf_notebook.run import current
loading, go_on, heard = threading.Event(), threading.Event(), threading.Event()
class Batch(Workflow):
    def run(self):
        current.get().cancel.on_cancel(heard.set)
        assert heard.wait(30)
        current.get().cancel.check()
    def write_to_storage(self):
        loading.set()
        assert go_on.wait(30)
batch = Batch(session_id="batch", session_state={"loaded": True})
form = batch.form()
form.session.value = "another" + "s" * len(batch.session_state)
""")
    form = cells.good("form.start()\nassert loading.wait(30)\nform.stop()\ngo_on.set()\nform.wait()\nform")
    assert (form.run.status, form.error) == ("stopped", None)


def test_a_coroutine_runs_too(cells):
    cells.good("""
from wf_notebook import Workflow
class Later(Workflow):
    async def arun(self, name: str):
        return f"hello {name}"
form = Later().form(name="Ada")
""")
    assert cells.good("form.start()\nform.wait().content") == "hello Ada"


def test_two_forms_of_one_workflow_have_each_their_own_run(cells):
    cells.good(GATES)
    one, other = cells.good("one, other = waits.form(), waits.form()\none.start()\nassert began.wait(30)\none, other")
    cells.good("began.clear()\nother.start()\nassert began.wait(30)\none.stop()\ngo_on.set()\none.wait(), other.wait()")
    assert (one.run.status, other.run.status) == ("stopped", "completed")
    assert one.run.run_id != other.run.run_id
    assert record(one).endswith("\n\npart and the rest")
    assert record(other).endswith("\n\npart and the rest, all of it")


# -- the session ---------------------------------------------------------------------------------------------------------------


def test_the_sessions_of_the_storage_are_offered_and_a_new_one_may_be_written(blog):
    blog.good("%workflow blog -q -s other topic='x'\n%workflow blog -q -s blog topic='y'\nform = blog.form(topic='z')")
    form = blog.good("form")
    assert (form.session.value, sorted(form.session.options)) == ("blog", ["blog", "other"])
    form.session.value = " fresh "
    blog.good("form.start()\nform.wait()")
    assert (form.run.session_id, blog.good("blog.session_id, blog.session_state")) == ("fresh", ("fresh", {"topics": ["z"]}))
    assert sorted(form.session.options) == ["blog", "fresh", "other"]


def test_a_workflow_that_keeps_nothing_has_no_session_to_pick(cells):
    form = cells.good(
        "from wf_notebook import Workflow\nclass Free(Workflow):\n    def run(self):\n        yield 'x'\nFree().form()"
    )
    assert form.session.layout.display == "none"


def test_no_other_session_is_chosen_while_a_run_goes_on_in_this_one(cells):
    cells.good(GATES)
    other = cells.good("one, other = waits.form(), waits.form()\none.start()\nassert began.wait(30)\nother")
    other.session.value = "elsewhere"
    cells.good("other.start()\nother.wait()")
    assert isinstance(other.error, BadArguments)
    assert str(other.error) == "a run goes on in session 'waits'; stop it or wait, then go to 'elsewhere'"
    assert (other.run, cells.good("go_on.set()\none.wait().content")) == (None, "part and the rest, all of it")


def test_a_session_that_cannot_be_saved_is_said_in_the_output(blog):
    form = blog.good("form.fields['topic'].control.value = 'x'\nform.start()\nform.wait()\nblog.session_state['f'] = print\nform")
    form.session.value = "other"
    blog.good("form.start()\nform.wait()")
    assert type(form.error).__name__ == "UnsavableValue"
    assert (form.run, form.output.outputs[-1]["output_type"]) == (None, "error")


# -- where it is shown ---------------------------------------------------------------------------------------------------------


def test_it_composes_as_any_widget(blog):
    form = blog.good("form")
    assert isinstance(form, ipywidgets.VBox)
    for box in (ipywidgets.VBox, ipywidgets.HBox, ipywidgets.Tab, ipywidgets.Accordion):
        assert box([form]).children == (form,)


def test_without_a_front_end_for_widgets_the_card_is_shown_alone(blog):
    blog.good("form")
    assert blog.text == 'blog is defined; it needs topic (str)\nrun it: %workflow blog topic="…"'
    assert len(blog.displayed) == 1


def test_the_card_of_a_form_that_was_given_inputs_needs_only_the_others(blog):
    blog.good("import pandas\nblog.form(topic='cats', words=pandas.DataFrame({'n': [1]}))")
    first, second = blog.text.splitlines()
    assert first == "blog is defined"
    assert second.startswith('run it: %workflow blog topic="cats" words=')


def test_the_line_is_plain_python_where_no_magic_is_there(shell, capsys):
    shell.run_cell(f"{BLOG}\nblog = Blog()\nblog.form()").raise_error()
    assert 'run it: blog.run(topic="…")' in capsys.readouterr().out


def test_wf_form_shows_the_form_of_a_workflow(blog):
    form = blog.good("%wf form blog -s other")
    assert isinstance(form, Form)
    assert (form.workflow, form.session.value) == (blog.good("blog"), "other")
    error = blog.bad("%wf form blgo")
    assert (type(error), str(error)) == (UnknownWorkflow, "no workflow named 'blgo'; did you mean 'blog'?")
    assert str(blog.bad("%wf form")) == "write the name of a workflow: %wf form NAME"


def test_wf_form_makes_the_workflow_of_a_class_and_renews_one_of_an_old_class(blog):
    blog.good("%wf form Blog")
    old = blog.good("blog")
    blog.good(BLOG)
    form = blog.good("%wf form blog")
    assert form.workflow is blog.good("blog") is not old
    blog.good("del blog")
    assert blog.good("%wf form blog").workflow is blog.good("blog")


def test_enter_in_a_text_runs(blog):
    form = blog.good("form")
    form.fields["topic"].control.value = "cats"
    begun = threading.Event()
    form.run_button.observe(lambda _: begun.set(), "disabled")
    form.fields["topic"].control._handle_custom_msg({"event": "submit"}, [])
    assert begun.wait(30)
    assert form.wait().content == "On cats"


def test_what_run_takes_beyond_its_named_inputs_goes_along():
    class Open(Workflow):
        def run(self, a: int, **more):
            yield f"{a} {more}"

    form = Open().form(a=1, b=2)
    form.start()
    assert (form.wait().content, form.values) == ("1 {'b': 2}", {"a": 1, "b": 2})


def test_an_input_may_have_any_name():
    class Odd(Workflow):
        def run(self, workflow: str, inputs: str = "b", form: str = "c"):
            yield workflow + inputs + form

    form = Odd().form(workflow="a")
    form.start()
    assert form.wait().content == "abc"


def test_a_workflow_loads_no_widgets_before_it_shows_a_form():
    code = "import sys; from wf_notebook import Workflow; Workflow.form; print('ipywidgets' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"


# -- in a real kernel ----------------------------------------------------------------------------------------------------------

SETUP = "%load_ext wf_notebook\n%config WorkflowMagics.storage = 'memory:'"


@pytest.fixture(scope="module")
def notebook(run_notebook):
    """Return the outputs of the cells of a notebook that ran, by name."""
    sources = {
        "setup": SETUP,
        "card": f"%%workflow blog\n{BLOG}",
        "no run": f"%%workflow never -n\n{BLOG.replace('Blog', 'Never')}",
        "form": "form = blog.form(topic='cats', words=60)\nform",
        "run": "form.start()\nform.wait()\n[*map(len, (form.output.outputs, form.pane.live.outputs))]",
        "magic": "magic = %wf form blog\nmagic",
        "failed": "magic.fields['topic'].control.value = 'ducks'\nmagic.start()\nmagic.wait()",
        "composed": "import ipywidgets\nother = blog.form(topic='dogs')\nipywidgets.Tab([other])",
        "composed run": "other.start()\nother.wait()\nother.run.status",
        "slow": f"{GATES}form = waits.form(n=2)\nform",
        "live": """
from wf_notebook.notebook.widget import LiveWidget
shown = threading.Event()
form.pane.live.observe(lambda change: change.new and shown.set(), "outputs")
form.start()
assert shown.wait(30)
live = [[*each["data"]] for each in form.pane.live.outputs]
go_on.set()
form.wait()
print(live, len(form.pane.live.outputs), len(form.output.outputs))""",
    }
    done = run_notebook(*sources.values())
    return {name: cell.outputs for name, cell in zip(sources, done.cells, strict=True)}


@pytest.mark.slow
def test_a_cell_that_lacks_an_input_shows_what_it_needs_the_line_and_the_form(notebook):
    card, form = notebook["card"]
    assert card.data["text/plain"] == 'blog is defined; it needs topic (str)\nrun it: %workflow blog topic="…"'
    assert "Run it: <code>%workflow blog topic=&quot;…&quot;</code>" in card.data["text/html"]
    assert VIEW not in card.data
    assert VIEW in form.data
    assert (form.data["text/html"], form.data["text/plain"]) == ("", "")
    (alone,) = notebook["no run"]
    assert alone.data["text/plain"].startswith("never is defined; it needs topic (str)\n")


@pytest.mark.slow
def test_after_a_run_the_card_has_the_line_that_runs_it_so_again_and_the_record(notebook):
    card, form = notebook["form"]
    line, again, _, head, *rest = card.data["text/plain"].splitlines()
    assert (line, again) == ("blog was run by its form", 'run it again: %workflow blog topic="cats" words=60')
    assert head.startswith("Blog · session blog · ✓ completed")
    assert "On cats" in rest
    assert "<details><summary>Blog · session blog · ✓ completed" in card.data["text/html"]
    assert card.metadata.wf_notebook.status == "completed"
    assert VIEW in form.data
    assert notebook["run"][0].data["text/plain"] == "[1, 0]"


@pytest.mark.browser
@pytest.mark.picture
def test_a_cell_that_lacks_inputs_is_filled_in_and_run_and_says_how_to_run_it_again(page, jupyter_lab, picture):
    jupyter_lab.write("blog.ipynb", "%load_ext wf_notebook\n%config WorkflowMagics.storage = 'memory:'", PICTURED)
    page.set_viewport_size({"width": 1000, "height": 960})
    jupyter_lab.open(page, "blog.ipynb")
    page.keyboard.press("Control+b")  # without the side bar
    jupyter_lab.run_all(page)
    form = page.locator(".jp-OutputArea-output .wf-form").first
    form.get_by_label("topic *").fill("cheese")
    form.get_by_label("sources").fill('["a book", "a cow"]')
    form.get_by_role("button", name="Run").click()
    form.locator(".wf-record").get_by_text("About 200 plain words on cheese, from 2 sources.").wait_for()
    page.get_by_text('%workflow blog topic="cheese" sources=["a book", "a cow"]').wait_for()
    page.locator(".jp-Notebook .jp-Cell").first.scroll_into_view_if_needed()
    picture("form")


@pytest.mark.slow
def test_a_failed_run_is_in_the_card_too_and_its_cell_passes(notebook):
    assert "✗ failed: ValueError: no ducks" in notebook["magic"][0].data["text/plain"]
    assert [output.output_type for output in notebook["failed"]] == []


@pytest.mark.slow
def test_a_form_in_another_widget_has_no_card(notebook):
    assert [{*output.data} for output in notebook["composed"]] == [{VIEW, "text/plain"}]
    assert [output.data["text/plain"] for output in notebook["composed run"]] == ["'completed'"]


@pytest.mark.slow
def test_the_live_output_is_in_the_form_while_it_runs_and_the_record_takes_its_place(notebook):
    assert [output.text for output in notebook["live"]] == [f"[['{VIEW}', 'text/html', 'text/plain']] 0 1\n"]


# -- in a real browser ---------------------------------------------------------------------------------------------------------

PICTURED = """\
%%workflow blog
from typing import Annotated, Literal
from pydantic import Field

def run(self, topic: str, style: Literal["plain", "funny"] = "plain",
        words: Annotated[int, Field(ge=50, le=500)] = 200, sources: list = []):
    \'\'\'Write a post.

    Args:
        topic: What it is about, in a few words.
        sources: What to cite from.
    \'\'\'
    self.session_state.setdefault("topics", []).append(topic)
    yield f"## On {topic}\\n\\n"
    yield f"About **{words}** *{style}* words on {topic}, from {len(sources)} sources.\\n"
"""

PAGE = """\
%%workflow poem
import threading
from pathlib import Path
from typing import Literal
from wf_notebook import Workflow
class Poem(Workflow):
    def run(self, topic: str, tone: Literal["warm", "cold", "<img src=x onerror=\\"document.title='owned'\\">"] = "warm",
            lines: list = [1, 2]):
        \'\'\'Write a poem.

        Args:
            topic: What it is about <img src=x onerror="document.title=\'owned\'">.
        \'\'\'
        yield f"## On {topic}\\n\\nvery {tone} <img src=x onerror=\\"document.title='owned'\\"> "
        if topic.startswith("slow"):
            open("form-gate").read()  # a pipe: waits here until somebody writes
        yield "the end"
"""


def open_form(lab: Lab, page: Page, name: str, *cells: str) -> Locator:
    """Run a notebook of the cell above and others; return the form that it shows."""
    os.mkfifo(lab.root / f"{name}-gate")
    lab.write(f"{name}.ipynb", SETUP, PAGE.replace("form-gate", f"{name}-gate"), *cells)
    lab.open(page, f"{name}.ipynb")
    lab.run_all(page)
    return page.locator(".jp-OutputArea-output .wf-form").first


def photograph(page: Page, name: str) -> None:
    """Leave a picture of the page for people to look at."""
    screenshots = Path(__file__).parents[2] / "build" / "screenshots"
    screenshots.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=screenshots / f"{name}.png")


def save(page: Page) -> None:
    """Save the notebook, from outside of its widgets: their keys are their own."""
    page.locator(".jp-Notebook .jp-InputArea-prompt").first.click()
    page.keyboard.press("Control+s")
    page.wait_for_function("() => !document.querySelector('.jp-mod-dirty')")


@pytest.mark.browser
def test_a_form_is_filled_in_run_and_stopped_and_nothing_that_it_shows_is_executed(page, jupyter_lab):
    form = open_form(jupyter_lab, page, "form")
    topic, run, stop = form.get_by_label("topic *"), *(form.get_by_role("button", name=name) for name in ("Run", "Stop"))
    wrong = form.get_by_role("alert").filter(has_text="✗")
    run.click()
    wrong.get_by_text("✗ required; fill it in").wait_for()
    topic.press_sequentially("slow cats")
    form.get_by_label("tone").select_option("cold")
    topic.press("Enter")
    live, record = form.locator(".wf-live"), form.locator(".wf-record")
    live.locator(".wf-live-content").get_by_text("On slow cats").wait_for()
    photograph(page, "form_running")
    expect(run).to_be_disabled()
    expect(stop).to_be_enabled()
    stop.click()
    form.get_by_role("status").get_by_text("■ stopping…").wait_for()
    (jupyter_lab.root / "form-gate").write_text("go on")
    record.get_by_text("■ stopped").wait_for()

    topic.fill("dogs")
    form.get_by_label("lines").fill("open('<img src=x onerror=document.title=\\'owned\\'>')")
    run.click()
    wrong.get_by_text("✗ FileNotFoundError").wait_for()
    form.get_by_label("lines").fill("[1, 2]")
    run.click()
    record.get_by_text("✓ completed").wait_for()
    expect(record).to_have_count(1)
    expect(live).to_have_count(0)
    expect(form).not_to_contain_text("slow cats", use_inner_text=True)
    assert page.title() != "owned"


@pytest.mark.browser
def test_a_form_inside_another_widget_goes_on_when_its_page_is_loaded_anew(page, jupyter_lab):
    inner = "import ipywidgets\nipywidgets.Accordion([poem.form(topic='slow hens')], selected_index=0)"
    open_form(jupyter_lab, page, "inner", inner)
    form = page.locator(".jp-OutputArea-output .wf-form").nth(1)
    form.get_by_role("button", name="Run").click()
    form.locator(".wf-live-content").get_by_text("On slow hens").wait_for()
    save(page)
    page.reload()
    form.locator(".wf-live-content").get_by_text("On slow hens").wait_for()
    (jupyter_lab.root / "inner-gate").write_text("go on")
    form.locator(".wf-record").get_by_text("the end").wait_for()
    expect(form.locator(".wf-live")).to_have_count(0)
    form.get_by_label("topic *").fill("dogs")
    form.get_by_role("button", name="Run").click()
    form.locator(".wf-record").get_by_text("On dogs").wait_for()


@pytest.mark.browser
def test_stop_is_heard_while_another_cell_blocks_the_kernel(page, jupyter_lab):
    os.mkfifo(jupyter_lab.root / "blocks")
    form = open_form(jupyter_lab, page, "busy", "import os\nif os.path.exists('now'): open('blocks').read()")
    form.get_by_label("topic *").fill("slow ducks")
    form.get_by_role("button", name="Run").click()
    form.locator(".wf-live").get_by_text("On slow ducks").wait_for()
    (jupyter_lab.root / "now").touch()
    page.locator(".jp-Notebook .jp-InputArea-prompt").last.click()
    page.keyboard.press("Control+Enter")
    page.locator(".jp-Notebook .jp-InputArea-prompt").last.get_by_text("[*]").wait_for()
    form.get_by_role("button", name="Stop").click()
    form.get_by_role("status").get_by_text("■ stopping…").wait_for()
    (jupyter_lab.root / "busy-gate").write_text("go on")
    form.locator(".wf-record").get_by_text("■ stopped").wait_for()
    (jupyter_lab.root / "blocks").write_text("go on")
    jupyter_lab.wait_until_idle(page)


@pytest.mark.browser
def test_what_a_form_ran_is_readable_when_the_notebook_is_opened_without_its_kernel(page, jupyter_lab):
    form = open_form(jupyter_lab, page, "kept")
    form.get_by_label("topic *").fill("dogs")
    form.get_by_role("button", name="Run").click()
    form.locator(".wf-record").get_by_text("On dogs").wait_for()
    page.get_by_text("Run it again: %workflow").wait_for()
    save(page)
    headers = {"Authorization": f"token {jupyter_lab.token}"}
    for session in page.request.get(f"{jupyter_lab.url}/api/sessions", headers=headers).json():
        page.request.delete(f"{jupyter_lab.url}/api/sessions/{session['id']}", headers=headers)
    page.goto(f"{jupyter_lab.url}/lab/tree/kept.ipynb?reset&token={jupyter_lab.token}")
    gone = page.get_by_text("Error displaying widget")
    gone.first.wait_for(state="attached")
    photograph(page, "form_reopened")
    expect(gone).to_have_count(1)
    expect(gone).to_be_hidden()
    outputs = page.locator(".jp-Notebook .jp-Cell").nth(1).locator(".jp-OutputArea")
    expect(outputs).to_contain_text('Run it again: %workflow poem topic="dogs"', use_inner_text=True)
    assert "On dogs" not in outputs.inner_text()
    outputs.locator("summary").first.click()
    expect(outputs).to_contain_text("On dogs", use_inner_text=True)
