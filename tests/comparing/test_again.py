"""One recorded step again: an agent, a request, a tool or a function, with something else, and apart from its session."""

from __future__ import annotations

from dataclasses import FrozenInstanceError
from functools import partial

import pytest
from pydantic import BaseModel

from wf_notebook import Agent, Workflow, step
from wf_notebook.errors import AgentFailed, BadSetting, ModelFailed, UnknownStep
from wf_notebook.testing import ToolCall, scripted


class Title(BaseModel):
    """What is asked for."""

    text: str


def lookup(word: str) -> str:
    """Look a word up."""
    return word.upper()


@step
def count(words, at_most=3):
    return len(words.split()[:at_most])


class Diary(Workflow):
    """Outlines, writes, counts and finds a title."""

    scribe = Agent(name="writer", description="You write.", instructions="Be brief.", model_settings={"temperature": 0.5})
    asker = Agent(tools=[lookup])
    namer = Agent(response_model=Title)

    @step
    def outline(self, topic):
        self.session_state["outlined"] = [*self.session_state.get("outlined", []), topic]
        return {"topic": topic, "before": self.session_state["greeting"]}

    @step
    def shout(self, text):
        yield from text.upper()

    def run(self, topic):
        self.session_state["greeting"] = f"Hello, {topic}"
        told = self.outline(topic)
        yield from self.scribe.run(f"About {told['topic']}", stream=True)
        yield str(count(self.scribe.run_response.content))


def ran(storage, *answers, workflow=Diary, **models):
    diary = workflow(session_id="a", storage=storage, cache="use")
    diary.scribe.model = scripted(*answers)
    for name, model in models.items():
        getattr(diary, name).model = model
    diary.run("ducks").result()
    return diary


def test_an_agent_is_asked_once_more_what_it_was_asked_with_other_instructions(storage):
    diary = ran(storage, "a red fox", "a brown fox")
    again = diary.last_run.step("writer").again(instructions="Be kind.")
    assert (again.old, again.new, str(again.diff)) == ("a red fox", "a brown fox", "a [-red-]{+brown+} fox")
    first, second = diary.scribe.model.requests
    assert second.messages[0]["content"] == first.messages[0]["content"].replace("brief", "kind")
    assert (second.message, second.settings) == (first.message, first.settings) == ("About ducks", {"temperature": 0.5})
    assert again.changed == {"instructions": (first.messages[0]["content"], second.messages[0]["content"])}
    for shown in (str(again), again._repr_html_(), str(diary.last_run.step("writer"))):
        assert ("Be brief." in shown, "instructions>" in shown, "instructions&gt;" in shown) == (True, False, False)


def test_the_message_the_model_and_settings_can_be_others(storage):
    other = scripted("ducks and geese")
    again = ran(storage, "ducks").last_run.step("scribe").again(message="About geese", model=other, temperature=0, seed=7)
    assert (other.requests[0].message, other.requests[0].settings) == ("About geese", {"temperature": 0, "seed": 7})
    assert again.changed == {
        "model": ("scripted", "scripted"),
        "message": ("About ducks", "About geese"),
        "temperature": (0.5, 0),
        "seed": (None, 7),
    }
    assert again.tokens == (51, 55)
    assert again.df()["gave"].tolist() == ["ducks", "ducks and geese"]


def test_nothing_of_it_is_kept_anywhere(storage, content):
    diary = ran(storage, "one", "two", "three")
    run, state, before = diary.last_run, dict(diary.session_state), content()
    run.step("writer").again(instructions="Be kind.")
    run.step("outline").again(topic="geese")
    run.step("count").again(at_most=1)
    diary.write_to_storage()
    assert (content(), diary.session_state, diary.last_run.run_id) == (before, state, run.run_id)
    assert [done.name for done in diary.session.steps.all() if done.kind != "request"] == ["outline", "writer", "count"]


def test_a_function_is_called_as_it_is_now_with_what_it_was_given_and_the_state_of_then(storage):
    run = ran(storage, "one two").last_run
    assert run.step("outline").came == {"topic": "ducks", "before": "Hello, ducks"}
    again = run.step("outline").again(topic="geese")
    assert (again.new, again.changed) == ({"topic": "geese", "before": "Hello, ducks"}, {"topic": ("ducks", "geese")})
    assert (run.step("count").again().new, run.step("count").again(at_most=1).changed) == (2, {"at_most": (3, 1)})


def test_a_run_from_the_store_is_asked_with_the_code_that_is_here(storage):
    run_id = ran(storage, "a red fox").last_run.run_id
    run = storage.run(run_id)
    with pytest.raises(BadSetting, match=r"'writer' was answered by 'scripted', and that model is not here any more; name one"):
        run.step("writer").again()
    again = run.step("writer").again(model=scripted("a brown fox"), instructions="Be kind.")
    assert (again.new, again.changed["instructions"][1].split("\n")) == (
        "a brown fox",
        ["You write.", "", "<instructions>", "Be kind.", "</instructions>"],
    )
    assert run.step("outline").again(topic="geese").new["topic"] == "geese"


def test_what_is_long_is_found_again_where_it_came_from_or_asked_for(storage):
    class Long(Diary):
        def run(self, topic):
            words = f"{topic} " * 1000
            self.session_state["kept"] = words
            yield str(count(words))
            yield str(count(words * 2))

    run = ran(storage, workflow=Long).last_run
    assert run.step("count").again(at_most=5).new == 5
    with pytest.raises(
        BadSetting, match=r"argument 'words' of step 'count' is not recorded as a whole; give it: again\(words=…\)"
    ):
        run.step("count", 2).again()
    assert run.step("count", 2).again(words="a b").new == 2


def test_a_long_message_and_its_instructions_are_recorded_as_a_whole(storage):
    class Long(Diary):
        def run(self, topic):
            yield self.scribe.run(topic * 1000)

    diary = ran(storage, "x", "y", workflow=Long)
    diary.scribe.description = "z" * 5000
    diary.last_run.step("writer").again()
    assert diary.scribe.model.requests[0].messages == diary.scribe.model.requests[1].messages


def test_an_agent_is_told_again_of_its_earlier_calls_however_long_these_were(storage):
    class Talks(Diary):
        scribe = Agent(name="writer", add_history_to_messages=True)

        def run(self, topic):
            for n in range(3):
                yield self.scribe.run(f"{n} {topic * 500}")

    diary = ran(storage, "a" * 3000, "b", "c", "d", "e", workflow=Talks)
    third = diary.last_run.step("writer", 3)
    assert (third.again().new, diary.last_run.step("writer", 3, kind="request").again().new) == ("d", "e")
    requests = diary.scribe.model.requests
    assert requests[2].messages == requests[3].messages == requests[4].messages
    assert len(requests[2].messages) == 5


class Asks(Diary):
    """Asks with tools, and for a model."""

    def run(self, topic):
        yield self.asker.run(f"What is {topic}?")
        yield self.namer.run("Name it.")


@pytest.fixture
def asked(storage):
    asker = scripted(ToolCall("lookup", {"word": "ducks"}), "birds", ToolCall("lookup", {"word": "geese"}), "more birds")
    return partial(ran, storage, workflow=Asks, asker=asker, namer=scripted(Title(text="Ducks"), Title(text="Geese")))


def test_tools_are_called_and_output_is_made_by_the_code_that_is_here(asked):
    diary = asked()
    assert (diary.last_run.step("asker").again().new, diary.last_run.step("namer").again().new) == (
        "more birds",
        Title(text="Geese"),
    )
    assert [request.tools for request in diary.asker.model.requests] == [["lookup"]] * 4
    assert diary.last_run.step("lookup").again(word="geese").new == "GEESE"


def test_a_request_inside_of_a_call_is_made_by_itself_and_no_tool_is_called(asked):
    diary = asked()
    first, second = (diary.last_run.step("asker", nth, kind="request") for nth in (1, 2))
    assert (first.came, second.came) == ([{"lookup": {"word": "ducks"}}], "birds")
    other = scripted("waterfowl", ToolCall("lookup", {"word": "swans"}))
    assert (second.again(model=other).new, first.again(model=other).new) == ("waterfowl", [{"lookup": {"word": "swans"}}])
    assert other.requests[0].messages == diary.asker.model.requests[1].messages
    assert other.requests[1].messages == diary.asker.model.requests[0].messages


def test_steps_that_came_from_the_store_are_there_with_what_was_inside_of_them(asked):
    diary = asked()
    diary.run("ducks").result()
    assert len(diary.asker.model.requests) == 2
    assert diary.last_run.step("lookup").again(word="swans").new == "SWANS"
    assert diary.last_run.step("asker", 2, kind="request").came == "birds"


def test_where_the_code_of_a_tool_is_gone_it_says_what_helps(storage, asked):
    run_id = asked().last_run.run_id
    del globals()["Asks"].__bases__[0].asker  # what a cell that was edited does
    try:
        with pytest.raises(BadSetting, match=r"'asker' had tools=\[<function lookup>\], and that code is not here; run the cell"):
            storage.run(run_id).step("asker").again(model=scripted("x"))
        again = storage.run(run_id).step("asker").again(model=scripted("x"), tools=[lookup])
    finally:
        Diary.asker = Agent(tools=[lookup])
    assert again.new == "x"


def test_what_is_not_there_is_told_with_what_is(storage):
    run = ran(storage, "one").last_run
    with pytest.raises(UnknownStep, match=r"remembers no step 'writr'; did you mean 'writer'\?"):
        run.step("writr")
    with pytest.raises(UnknownStep, match=r"remembers no step 'zzz'; it has outline \(step\), writer \(agent\), count \(step\)"):
        run.step("zzz")
    with pytest.raises(UnknownStep, match="did 'writer' once; nth=2 is none of them"):
        run.step("writer", 2)
    with pytest.raises(BadSetting, match=r"kind='tol' is no kind of step; did you mean 'tool'\?"):
        run.step("writer", kind="tol")
    with pytest.raises(BadSetting, match=r"step 'outline' takes no 'topik'; did you mean 'topic'\?"):
        run.step("outline").again(topik="x")


#: What somebody wrote, and what is said to it.
MISSPELT = {
    "instruction": r"did you mean 'instructions'\?",
    "temprature": r"did you mean 'temperature'\?",
    "temp": r"did you mean 'temperature'\?",
    "max_token": r"did you mean 'max_tokens'\?",
    "topp": r"did you mean 'top_p'\?",
    "sed": r"did you mean 'seed'\?",
    "time_out": r"did you mean 'timeout'\?",
    "stop": r"did you mean 'stop_sequences'\?",
    "system_prompt": "write instructions=…",
}


@pytest.mark.parametrize("kind", ["agent", "request"])
def test_a_name_that_nearly_is_a_known_one_is_refused_before_a_model_is_asked(storage, kind):
    diary = ran(storage, "one", "two")
    step = diary.last_run.step("writer", kind=kind)
    for name, hint in MISSPELT.items():
        with pytest.raises(BadSetting, match=rf"'writer' takes no {name}=; {hint}$"):
            step.again(**{name: 0})
    assert len(diary.scribe.model.requests) == 1
    assert step.again(tool_choice="none", top_k=3, openai_service_tier="flex").new == "two"


def test_a_run_that_remembers_nothing_says_so(storage):
    diary = Diary(session_id="a", storage=storage)
    diary.scribe.model = scripted("one")
    diary.run("ducks").result()
    with pytest.raises(UnknownStep, match="it remembers none: run it with cache='use'"):
        diary.last_run.step("writer")


def test_a_workflow_without_a_store_can_be_asked_as_long_as_it_is_there():
    diary = ran(None, "one", "two")
    assert diary.last_run.step("writer").again().new == "two"


def test_what_fails_raises(storage):
    diary = ran(storage, "one", ValueError("no"), ValueError("no"))
    with pytest.raises(ModelFailed, match="agent 'writer' on 'scripted': no"):
        diary.last_run.step("writer").again()
    with pytest.raises(ModelFailed, match="request of 'writer' to 'scripted': no"):
        diary.last_run.step("writer", kind="request").again()


def test_a_budget_of_the_workflow_is_that_of_the_one_call(asked):
    diary = asked()
    diary.max_tokens = 10
    with pytest.raises(AgentFailed, match=r"agent 'asker' was not done again: budget of 10 tokens spent .* more by max_tokens="):
        diary.last_run.step("asker").again()
    assert len(diary.asker.model.requests) == 3


def test_a_stream_is_compared_as_its_text(storage):
    class Shouts(Diary):
        def run(self, topic):
            yield from self.shout(topic)

    again = ran(storage, workflow=Shouts).last_run.step("shout").again(text="geese")
    assert (again.old, again.new) == ("DUCKS", "GEESE")


def test_tools_that_are_methods_change_the_state_of_a_copy(storage):
    class Notes(Diary):
        def note(self, text: str) -> str:
            """Note a text."""
            self.session_state["notes"] = text
            return "noted"

        def run(self, topic):
            yield self.asker.run(topic)

    model = scripted("x", ToolCall("note", {"text": "b"}), "y")
    diary = ran(storage, workflow=Notes, asker=model)
    assert diary.last_run.step("asker").again(tools=[diary.note]).new == "y"
    assert diary.session_state == {}


def test_what_was_said_is_only_text_where_it_is_shown(storage):
    diary = ran(storage, "<script>alert(1)</script> one", "<img src=x onerror=alert(2)> two")
    again = diary.last_run.step("writer").again(instructions="<b>Be kind.</b>")
    html = again._repr_html_() + diary.last_run.step("writer")._repr_html_()
    assert not any(tag in html for tag in ("<script", "<img", "<b>"))
    assert "&lt;script&gt;" in html
    assert "<ins" in html
    assert "<del" in html


def test_it_is_shown_in_a_terminal_and_cannot_be_changed(storage):
    again = ran(storage, "a red fox", "a red fox").last_run.step("writer").again(temperature=0)
    lines = repr(again).splitlines()
    assert lines[:2] == ["agent 'writer' once more with other temperature: = the same", "  temperature: 0.5 → 0"]
    assert [line for line in lines if line.startswith("  a")] == ["  a red fox"] * 2
    with pytest.raises(FrozenInstanceError):
        again.new = "x"
    assert repr(ran(storage, "b").last_run.step("outline")).splitlines()[1:] == [
        "  topic: ducks",
        """  session_state["outlined"]: ['ducks']""",
        '  session_state["greeting"]: Hello, ducks',
        "gave",
        '  {"topic": "ducks", "before": "Hello, ducks"}',
    ]
