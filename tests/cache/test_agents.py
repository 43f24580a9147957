"""An agent is not asked again what it has answered; and goes on after what was done."""

from __future__ import annotations

import logging
import subprocess
import sys
import textwrap

import pytest
from pydantic import BaseModel

from wf_notebook import Agent, Workflow, open_storage, step
from wf_notebook.errors import ModelFailed
from wf_notebook.testing import ToolCall, scripted

note = logging.getLogger("tests.cache.agents")
called: list[str] = []


@pytest.fixture(autouse=True)
def nothing_called(noted, monkeypatch):
    monkeypatch.setitem(globals(), "called", noted("tests.cache.agents"))


@pytest.fixture
def storage(tmp_path):
    return open_storage(f"sqlite:///{tmp_path}/runs.db")


def lookup(word: str) -> str:
    """Look a word up."""
    note.info("lookup")
    return word.upper()


@step(cache="off")
def send(text: str) -> str:
    """Send a text."""
    note.info("send")
    return f"sent {text}"


class Answer(BaseModel):
    """What is asked for."""

    text: str
    score: int


class Asks(Workflow):
    """Asks its writer."""

    writer = Agent(instructions="Be brief.")

    def run(self, topic):
        yield from self.writer.run(f"About {topic}", stream=True)
        yield self.writer.run_response.content


def asks(storage, model, **settings):
    workflow = Asks(session_id="a", storage=storage, cache="use")
    workflow.writer.model = model
    for name, value in settings.items():
        setattr(workflow.writer, name, value)
    return workflow


def test_an_answer_is_given_again_as_it_was_streamed(storage):
    model = scripted("one two three")
    first = [(r.content, r.agent_id, r.model) for r in asks(storage, model).run("ducks")]
    again = asks(storage, model)
    assert [(r.content, r.agent_id, r.model) for r in again.run("ducks")] == first
    assert len(model.requests) == 1
    assert again.writer.run_response.content == "one two three"
    assert again.last_run.input_tokens > 0


@pytest.mark.parametrize(
    "changed",
    [
        {"instructions": "Be long."},
        {"tools": [lookup]},
        {"response_model": Answer},
        {"model_settings": {"temperature": 0.5}},
        {"description": "You write."},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_a_changed_agent_is_asked_again(storage, changed):
    answers = ("first", {"text": "a", "score": 1} if "response_model" in changed else "second")
    model = scripted(*answers)
    asks(storage, model).run("ducks").result()
    asks(storage, model, **changed).run("ducks").result()
    assert len(model.requests) == 2


def test_another_model_is_asked_again(storage):
    one, other = scripted("a"), scripted("b")
    asks(storage, one).run("ducks").result()
    asks(storage, other).run("ducks").result()
    assert (len(one.requests), len(other.requests)) == (1, 1)


def test_a_changed_instruction_is_told_as_a_word_diff(storage):
    model = scripted("first", "second")
    asks(storage, model).run("ducks").result()
    again = asks(storage, model, instructions="Be very brief, and kind to whoever reads what you write.")
    again.run("ducks").result()
    assert again.last_run.why()[0]["why"].startswith("`instructions`: ")


def test_a_batch_call_and_a_stream_give_each_other_their_answers(storage):
    class Both(Workflow):
        writer = Agent(instructions="Be brief.")

        def run(self, stream):
            if stream:
                yield from self.writer.run("Hello", stream=True)
            else:
                yield self.writer.run("Hello").content

    for order in ((True, False), (False, True)):
        model = scripted("one two")
        said = []
        for stream in order:
            both = Both(session_id=str(order), storage=storage, cache="use")
            both.writer.model = model
            said.append(both.run(stream).result().content)
        assert (said, len(model.requests)) == (["one two", "one two"], 1)


def test_a_structured_answer_comes_back_as_its_class(storage):
    class Structured(Workflow):
        writer = Agent(response_model=Answer)

        def run(self):
            return self.writer.run("Hello")

    model = scripted({"text": "a", "score": 3})
    for _ in range(2):
        structured = Structured(session_id="a", storage=storage, cache="use")
        structured.writer.model = model
        assert structured.run().content == Answer(text="a", score=3)
    assert len(model.requests) == 1


def test_an_agent_with_tools_goes_on_after_the_tool_that_was_done(storage):
    class Breaks(Exception):
        pass

    model = scripted(ToolCall("lookup", {"word": "duck"}), Breaks("the line is dead"), "about DUCK")
    with pytest.raises(Exception, match="the line is dead"):
        asks(storage, model, tools=[lookup], retries=0).run("ducks").result()
    assert (len(model.requests), called) == (2, ["lookup"])
    again = asks(storage, model, tools=[lookup], retries=0)
    assert again.run("ducks").result().content.endswith("about DUCK")
    assert (len(model.requests), called) == (3, ["lookup"])
    assert model.requests[2].message == "DUCK"


def test_a_tool_with_an_effect_is_called_each_time_and_the_model_is_not(storage):
    model = scripted(ToolCall("send", {"text": "hello"}), "done")
    for _ in range(2):
        assert asks(storage, model, tools=[send]).run("ducks").result().content.startswith("done")
    assert (len(model.requests), called) == (2, ["send", "send"])


def test_the_history_of_an_agent_counts_and_comes_back(storage):
    class Talks(Workflow):
        friend = Agent(add_history_to_messages=True)

        def run(self, *messages):
            for message in messages:
                yield self.friend.run(message).content

    def talks():
        workflow = Talks(session_id="a", storage=storage, cache="use")
        workflow.friend.model = model
        return workflow

    model = scripted("Hello, Ada.", "You are Ada.", "You are still Ada.")
    talks().run("I am Ada.", "Who am I?").result()
    again = talks()
    again.run("I am Ada.", "Who am I?", "And now?").result()
    assert len(model.requests) == 3
    assert [said["content"] for said in model.requests[2].messages if said["role"] == "assistant"] == [
        "Hello, Ada.",
        "You are Ada.",
    ]


def test_a_failed_call_is_not_remembered(storage):
    model = scripted(ModelFailed("busy"), "better")
    with pytest.raises(ModelFailed):
        asks(storage, model, retries=0).run("ducks").result()
    assert asks(storage, model).run("ducks").result().content.startswith("better")


def test_an_agent_of_pydantic_ai_is_remembered_by_its_requests(storage):
    from pydantic_ai import Agent as Foreign

    model = scripted(ToolCall("lookup", {"word": "duck"}), "about DUCK")
    foreign = Foreign(model, instructions="Be brief.", tools=[lookup])

    class Adapted(Workflow):
        writer = foreign

        def run(self):
            yield self.writer.run("ducks").content

    for _ in range(2):
        assert Adapted(session_id="a", storage=storage, cache="use").run().result().content == "about DUCK"
    assert len(model.requests) == 2


def test_a_run_of_which_all_is_remembered_does_not_import_pydantic_ai(tmp_path):
    program = textwrap.dedent("""
        import sys
        from wf_notebook import Agent, Workflow
        class Asks(Workflow):
            writer = Agent("test", instructions="Be brief.", add_history_to_messages=True)
            def run(self):
                yield from self.writer.run("Hello", stream=True)
                yield self.writer.run("Again").content
        print(Asks(session_id="a", storage="sqlite:///runs.db", cache="use").run().result().content)
        print("pydantic_ai" in sys.modules)
    """)
    told = [
        subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True).stdout.split(
            "\n"
        )
        for _ in range(2)
    ]
    assert told[0][0] == told[1][0] != ""
    assert (told[0][1], told[1][1]) == ("True", "False")


def test_the_time_that_an_agent_is_told_does_not_count_and_that_is_said(storage):
    model = scripted("good morning")
    for _ in range(2):
        timely = asks(storage, model, add_datetime_to_instructions=True)
        timely.run("ducks").result()
    assert len(model.requests) == 1
    assert timely.last_run.why()[0]["why"].endswith("; the time that it is told does not count")


def test_a_plan_asks_no_model_and_says_how_much_would_be_sent(storage):
    model = scripted("one two three")
    planned = asks(storage, model)
    plan = planned.plan("ducks " * 100)
    assert (plan.first, plan.kind, plan.hits) == ("writer", "agent", ())
    assert 150 <= plan.tokens <= 250
    planned.run("ducks").result()
    plan = planned.plan("ducks")
    assert (plan.first, plan.hits) == (None, ("writer",))
    assert len(model.requests) == 1
    assert planned.writer.run_response.content == "one two three"
    assert len(storage.runs()) == 1


def test_what_a_tool_changed_in_the_state_is_changed_again(storage):
    class Tools(Workflow):
        writer = Agent(instructions="Be brief.")

        def remember(self, word: str) -> str:
            """Remember a word."""
            note.info("remember")
            self.session_state.setdefault("words", []).append(word)
            return "remembered"

        def run(self):
            self.writer.tools = [self.remember]
            for response in self.writer.run("ducks", stream=True):
                self.session_state["pieces"] = self.session_state.get("pieces", 0) + 1
                yield response

    def tools():
        workflow = Tools(session_id="a", storage=storage, cache="use")
        workflow.writer.model = model
        return workflow

    model = scripted(ToolCall("remember", {"word": "duck"}), "done")
    first = tools()
    first.run().result()
    assert first.session_state["words"] == ["duck"]
    pieces = first.session_state["pieces"]
    again = tools()
    again.session_state.clear()
    again.run().result()
    assert again.session_state == {"words": ["duck"], "pieces": pieces}
    assert (len(model.requests), called) == (2, ["remember"])


def test_a_step_depends_on_the_agents_that_it_calls_and_their_answers_are_known_when_it_is_not_done_again(storage):
    class Steps(Workflow):
        writer = Agent(instructions="Be brief.", add_history_to_messages=True)

        @step
        def write(self, topic):
            note.info("write")
            self.writer.run(topic)

        def run(self, topic):
            self.write(topic)
            yield self.writer.run_response.content
            yield self.writer.run("And?").content

    def steps(instructions="Be brief."):
        workflow = Steps(session_id="a", storage=storage, cache="use")
        workflow.writer.model, workflow.writer.instructions = model, instructions
        return workflow

    model = scripted("about ducks", "no more", "about ducks at length", "much more")
    for _ in range(2):
        assert steps().run("ducks").result().content == "about ducksno more"
    assert (len(model.requests), called) == (2, ["write"])
    assert steps("Be long.").run("ducks").result().content == "about ducks at lengthmuch more"
    assert (len(model.requests), called) == (4, ["write", "write"])


def test_a_step_that_calls_an_agent_is_a_hit_in_a_new_process(tmp_path):
    program = textwrap.dedent("""
        from wf_notebook import Agent, Workflow, step
        class Asks(Workflow):
            writer = Agent("test", instructions="Be brief.")
            @step
            def ask(self, topic):
                return self.writer.run(topic).content
            def run(self):
                yield self.ask("ducks")
        asks = Asks(session_id="a", storage="sqlite:///runs.db", cache="use")
        asks.run().result()
        print([row["from"] for row in asks.last_run.why()][0])
    """)
    how = {"cwd": tmp_path, "capture_output": True, "text": True}
    told = [subprocess.run([sys.executable, "-c", program], check=True, **how).stdout.strip() for _ in range(2)]
    assert told == ["● done", "✓ store"]
