"""What the environment says of remembered steps, and where it holds against what the code says."""

from __future__ import annotations

import json
import logging

import pytest

from wf_notebook import Agent, Workflow, step
from wf_notebook.agents.resolve import resolve
from wf_notebook.errors import BadSetting, CacheMiss, UnknownModel
from wf_notebook.tally import counted
from wf_notebook.testing import scripted

#: By which a step says that it is done: a list would be one more thing that it depends on.
note = logging.getLogger("tests.modes")


class Blog(Workflow):
    """Says itself that it remembers."""

    cache = "use"

    @step
    def outline(self, topic):
        note.info("outline")
        return [topic]

    @step(cache="use")
    def title(self, topic):
        note.info("title")
        return topic.upper()

    @step(cache="off")
    def send(self):
        note.info("send")

    def run(self, topic):
        self.outline(topic)
        self.title(topic)
        self.send()


@pytest.fixture
def done(noted):
    return noted("tests.modes")


def test_refresh_with_an_exclamation_mark_does_again_what_the_code_says_is_used(done, monkeypatch):
    blog = Blog(session_id="a", storage="memory:")
    blog.run("cheese")
    monkeypatch.setenv("WF_CACHE", "refresh")
    blog.run("cheese")
    assert done == ["outline", "title", "send", "send"]
    monkeypatch.setenv("WF_CACHE", "refresh!")
    blog.run("cheese")
    assert done[4:] == ["outline", "title", "send"]


def test_only_with_an_exclamation_mark_does_nothing_that_is_not_remembered_whatever_the_code_says(done, monkeypatch):
    blog = Blog(session_id="a", storage="memory:")
    blog.run("cheese")
    monkeypatch.setenv("WF_CACHE", "only!")
    blog.run("cheese")
    assert done == ["outline", "title", "send", "send"]
    blog.next_run(cache="refresh")
    blog.run("cheese")
    with pytest.raises(CacheMiss, match=r"step 'outline' is not remembered: .*; run it once without WF_CACHE=only!$"):
        blog.run("wine")
    assert done[4:] == ["send"]


def test_only_with_an_exclamation_mark_asks_no_model_also_where_nothing_is_remembered(monkeypatch):
    model = scripted("Brie.", "Brie again.")
    monkeypatch.setenv("WF_CACHE", "only!")

    class Shop(Workflow):
        cache = "off"
        clerk = Agent(model, name="clerk")

        def run(self):
            return self.clerk.run("Which one?")

    forbidden = "agent 'clerk' on 'scripted' would be asked, as its answer is not remembered; run it once without WF_CACHE=only!"
    with pytest.raises(CacheMiss) as refused:
        Shop(session_id="a", storage="memory:").run()
    assert str(refused.value) == forbidden
    with pytest.raises(CacheMiss):
        list(Agent(model, name="clerk").run("Which one?", stream=True))
    assert model.requests == []


def test_an_answer_that_is_remembered_needs_no_key_where_nobody_is_asked(monkeypatch):
    with pytest.raises(UnknownModel, match="needs OPENAI_API_KEY"):
        resolve("openai:gpt-5.2")
    monkeypatch.setenv("WF_CACHE", "only!")
    assert resolve("openai:gpt-5.2").name == "gpt-5.2"
    monkeypatch.delenv("WF_CACHE")
    with pytest.raises(UnknownModel, match="needs OPENAI_API_KEY"):
        resolve("openai:gpt-5.2")


def test_another_mode_has_no_exclamation_mark(monkeypatch):
    monkeypatch.setenv("WF_CACHE", "use!")
    with pytest.raises(BadSetting, match="WF_CACHE='use!' is no mode; did you mean 'use'"):
        Blog().run("cheese")


def test_what_is_asked_and_what_comes_from_the_store_is_counted_for_who_wants_to_know(tmp_path, monkeypatch):
    monkeypatch.setenv("WF_TALLY", str(tmp_path / "counts"))
    writer = Agent(scripted("Brie.", "Gouda."), name="writer")
    writer.run("One?")
    lines = (tmp_path / "counts").read_text()
    assert counted(lines)["requests"] == 1
    assert counted(lines)["output_tokens"] > 0

    class Shop(Workflow):
        clerk = Agent(scripted("Brie.", "Gouda."), name="clerk")

        def run(self):
            return self.clerk.run("Which one?")

    shop = Shop(session_id="a", storage="memory:", cache="use")
    for _ in range(3):
        shop.run()
    more = (tmp_path / "counts").read_text()[len(lines) :]
    assert [json.loads(line).get("hits", 0) for line in more.splitlines()] == [0, 1, 1]
    assert counted(more)["requests"] == 1
