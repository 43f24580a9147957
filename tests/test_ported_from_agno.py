"""Code written for Agno 1.x runs here with its import lines changed; and where Agno lost something, nothing is lost here.

One test for each row of what was measured about Agno 1.1.1, named after the behaviour.
"""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from textwrap import dedent
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import BaseModel, Field

from wf_notebook import Agent, RunEvent, RunResponse, Workflow, open_storage, pprint_run_response
from wf_notebook.errors import BadRunOutput, SessionConflict, SessionOwned, StorageFailed, UnsavableValue
from wf_notebook.run import logger
from wf_notebook.storage import SqliteWorkflowStorage
from wf_notebook.testing import scripted

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class NewsArticle(BaseModel):
    title: str = Field(..., description="Title of the article.")
    url: str = Field(..., description="Link to the article.")
    summary: str | None = Field(None, description="Summary of the article if available.")


class SearchResults(BaseModel):
    articles: list[NewsArticle]


class BlogPostGenerator(Workflow):
    """As in the documents of Agno 1.x, but for the models, which are set by the tests."""

    searcher: Agent = Agent(
        instructions=["Given a topic, search for the top 5 articles."],
        response_model=SearchResults,
    )
    writer: Agent = Agent(
        instructions=[
            "You will be provided with a topic and a list of top articles on that topic.",
            "Generate a New York Times worthy blog post on that topic.",
        ],
        markdown=True,
    )

    def run(self, topic: str, use_cache: bool = True) -> Iterator[RunResponse]:
        logger.debug("Generating a blog post on: %s", topic)
        if use_cache:
            cached_blog_post = self.get_cached_blog_post(topic)
            if cached_blog_post:
                yield RunResponse(run_id=self.run_id, event=RunEvent.workflow_completed, content=cached_blog_post)
                return
        search_results: SearchResults | None = self.get_search_results(topic)
        if search_results is None or len(search_results.articles) == 0:
            yield RunResponse(
                run_id=self.run_id,
                event=RunEvent.workflow_completed,
                content=f"Sorry, could not find any articles on the topic: {topic}",
            )
            return
        yield from self.write_blog_post(topic, search_results)

    def get_cached_blog_post(self, topic: str) -> str | None:
        if "blog_posts" in self.session_state:
            return self.session_state["blog_posts"].get(topic)
        return None

    def add_blog_post_to_cache(self, topic: str, blog_post: str | None) -> None:
        self.session_state.setdefault("blog_posts", {})
        self.session_state["blog_posts"][topic] = blog_post

    def get_search_results(self, topic: str) -> SearchResults | None:
        searcher_response: RunResponse = self.searcher.run(topic)
        if searcher_response and searcher_response.content and isinstance(searcher_response.content, SearchResults):
            return searcher_response.content
        return None

    def write_blog_post(self, topic: str, search_results: SearchResults) -> Iterator[RunResponse]:
        writer_input = {"topic": topic, "articles": [v.model_dump() for v in search_results.articles]}
        yield from self.writer.run(json.dumps(writer_input, indent=4), stream=True)
        self.add_blog_post_to_cache(topic, self.writer.run_response.content)


class BatchBlogPostGenerator(BlogPostGenerator):
    """The batch twin of the documents."""

    def run(self, topic: str, use_cache: bool = True) -> RunResponse:
        if use_cache and (cached := self.get_cached_blog_post(topic)):
            return RunResponse(run_id=self.run_id, event=RunEvent.workflow_completed, content=cached)
        results = self.get_search_results(topic)
        response: RunResponse = self.writer.run(json.dumps([v.model_dump() for v in results.articles]))
        self.add_blog_post_to_cache(topic, response.content)
        return RunResponse(run_id=self.run_id, event=RunEvent.workflow_completed, content=response.content)


FOUND = SearchResults(articles=[NewsArticle(title="Cheese", url="https://example.com/cheese", summary="On cheese.")])
POST = "# Cheese\n\nAll about it."


def generator(cls: type[Workflow], folder: Path, **kwargs: Any) -> Any:
    blog = cls(
        session_id="generate-blog-post-on-cheese",
        storage=SqliteWorkflowStorage(table_name="generate_blog_post_workflows", db_file=str(folder / "tmp/workflows.db")),
        **kwargs,
    )
    blog.searcher.model = scripted(FOUND)
    blog.writer.model = scripted(POST)
    return blog


@pytest.mark.parametrize("cls", [BlogPostGenerator, BatchBlogPostGenerator])
def test_the_documents_blog_post_generator_runs_and_its_cache_hits(cls, tmp_path, capsys):
    blog = generator(cls, tmp_path)
    pprint_run_response(blog.run(topic="cheese", use_cache=True), markdown=True)
    assert "All about it." in capsys.readouterr().out
    assert blog.session_state == {"blog_posts": {"cheese": POST}}

    again = generator(cls, tmp_path)
    pprint_run_response(again.run(topic="cheese", use_cache=True), markdown=True)
    assert "All about it." in capsys.readouterr().out
    assert again.writer.model.requests == []
    assert again.last_run.content == POST


def test_what_a_run_says_is_stamped_with_its_ids(tmp_path):
    blog = generator(BlogPostGenerator, tmp_path)
    responses = list(blog.run(topic="cheese"))
    assert "".join(r.content for r in responses if r.content) == POST
    assert {r.event for r in responses} == {RunEvent.run_response.value}
    assert {(r.run_id, r.session_id, r.workflow_id) for r in responses} == {
        (blog.last_run.run_id, "generate-blog-post-on-cheese", blog.workflow_id)
    }


# -- the table -----------------------------------------------------------------------------------------------------------------


class Echo(Workflow):
    """Says what it is given, and keeps it."""

    def run(self, text: str = "hello", fail: bool = False) -> Iterator[RunResponse]:
        self.session_state.setdefault("said", []).append(text)
        yield RunResponse(text)
        if fail:
            raise ValueError("no more")
        yield RunResponse("!")


def test_inputs_may_be_given_by_name_and_by_position():
    assert Echo().run("a").result().content == Echo().run(text="a").result().content == "a!"


def test_ids_are_there_at_call_time_and_the_body_starts_at_the_first_next():
    echo = Echo()
    stream = echo.run("a")
    assert echo.run_id == stream.run.run_id
    assert "said" not in echo.session_state
    next(stream)
    assert echo.session_state["said"] == ["a"]


def test_a_yielded_agent_stream_is_played_and_not_passed_on_as_one_object():
    class Yields(Workflow):
        writer = Agent(instructions="write")

        def run(self):
            yield self.writer.run("go", stream=True)

    flow = Yields()
    flow.writer.model = scripted("one two three")
    contents = [r.content for r in flow.run()]
    assert "".join(contents) == "one two three"
    assert len(contents) > 1


@pytest.mark.parametrize("how", ["completes", "raises", "breaks", "closes", "interrupt"])
def test_the_state_is_saved_and_the_run_recorded_however_it_ends(how, tmp_path):
    class Ends(Workflow):
        def run(self):
            self.session_state["before"] = how
            yield RunResponse("a")
            if how == "raises":
                raise ValueError("no more")
            if how == "interrupt":
                raise KeyboardInterrupt
            yield RunResponse("b")

    url = f"sqlite:///{tmp_path}/x.db"
    flow = Ends(session_id="s", storage=url)
    stream = flow.run()
    next(stream)
    if how == "breaks":
        run_id = stream.run.run_id
        del stream
        flow.storage.session("s")
        Ends(session_id="other", storage=url).run().result()  # the next run drains what was dropped
    elif how == "closes":
        run_id = stream.run.run_id
        stream.stop()
        assert list(stream) == []
    elif how == "completes":
        run_id = stream.result().run_id
    else:
        run_id = stream.run.run_id
        with pytest.raises((ValueError, KeyboardInterrupt)):
            list(stream)
    expected = {"completes": "completed", "raises": "failed"}.get(how, "stopped")
    storage = open_storage(url)
    assert storage.run(run_id).status == expected
    assert storage.session("s").state == {"before": how}


@pytest.mark.parametrize("value", [1, True, b"bytes", {"a": 1}, object()])
def test_a_result_that_is_no_response_is_an_error_and_the_state_is_saved(value, tmp_path):
    class Odd(Workflow):
        def run(self):
            self.session_state["kept"] = 1
            return value

    flow = Odd(session_id="s", storage=f"sqlite:///{tmp_path}/x.db")
    with pytest.raises(BadRunOutput, match=repr(type(value).__name__)):
        flow.run()
    assert flow.last_run.status == "failed"
    assert flow.storage.session("s").state == {"kept": 1}


def test_write_to_storage_works_from_the_first_line_of_the_first_run_on(tmp_path):
    class Writes(Workflow):
        def run(self):
            self.session_state["first"] = 1
            self.write_to_storage()
            yield str(self.storage.session("s").state)

    assert Writes(session_id="s", storage=f"sqlite:///{tmp_path}/x.db").run().result().content == "{'first': 1}"


def test_a_save_that_cannot_be_done_raises(tmp_path):
    storage = SqliteWorkflowStorage(db_file=tmp_path / "x.db")
    echo = Echo(session_id="s", storage=storage)
    echo.run().result()
    with closing(sqlite3.connect(tmp_path / "x.db", isolation_level=None)) as db:
        db.execute("ALTER TABLE state_log RENAME TO gone")
    echo.session_state["more"] = 1
    with pytest.raises(StorageFailed, match="state_log"):
        echo.write_to_storage()
    with closing(sqlite3.connect(tmp_path / "x.db", isolation_level=None)) as db:
        db.execute("ALTER TABLE gone RENAME TO state_log")
    echo.write_to_storage()
    assert storage.session("s").state == {"said": ["hello"], "more": 1}


def test_a_read_that_fails_raises_and_overwrites_nothing(tmp_path):
    url = f"sqlite:///{tmp_path}/x.db"
    Echo(session_id="s", storage=url).run().result()
    with closing(sqlite3.connect(tmp_path / "x.db", isolation_level=None)) as db:
        db.execute("UPDATE state_log SET value = '{torn'")
    with pytest.raises(StorageFailed, match="key 'said' is damaged"):
        Echo(session_id="s", storage=url).run()
    with closing(sqlite3.connect(tmp_path / "x.db")) as db:
        assert db.execute("SELECT count(*), max(value) FROM state_log").fetchall() == [(1, "{torn")]


def test_two_writers_of_one_list_lose_nothing(tmp_path):
    url = f"sqlite:///{tmp_path}/x.db"
    one, two = Echo(session_id="s", storage=url), Echo(session_id="s", storage=url)
    first, second = one.run("from one"), two.run("from two")
    first.result()
    second.result()
    assert two.storage.session("s").state == {"said": ["from one", "from two"]}


def test_two_writers_of_one_value_lose_nothing_silently(tmp_path):
    url = f"sqlite:///{tmp_path}/x.db"
    one, two = Echo(session_id="s", storage=url), Echo(session_id="s", storage=url)
    one.session_state["by"], two.session_state["by"] = "one", "two"
    one.write_to_storage()
    with pytest.raises(SessionConflict) as conflict:
        two.run("hello").result()
    assert (conflict.value.mine, conflict.value.theirs) == ({"by": "two"}, {"by": "one"})
    assert two.session_state["by"] == "two"
    two.session.resolve("mine")
    assert two.storage.session("s").state["by"] == "two"


@pytest.mark.parametrize("value", [(1, 2), {1, 2}, {1: "int key"}, b"bytes", FOUND])
def test_a_value_that_json_does_not_have_comes_back_as_it_was(value, tmp_path):
    flow = Echo(session_id="s", storage=f"sqlite:///{tmp_path}/x.db")
    flow.session_state["odd"] = {"inside": [value]}
    flow.write_to_storage()
    assert flow.storage.session("s").state == {"odd": {"inside": [value]}}


@pytest.mark.parametrize("value", [object(), (piece for piece in "abc"), lambda: 1])
def test_a_value_that_cannot_be_kept_is_named_and_everything_else_is_saved(value, tmp_path):
    flow = Echo(session_id="s", storage=f"sqlite:///{tmp_path}/x.db")
    flow.session_state["kept"] = 1
    flow.session_state["odd"] = {"inside": [value]}
    with pytest.raises(UnsavableValue, match=r'session_state\["odd"\]\["inside"\]\[0\]'):
        flow.write_to_storage()
    assert flow.storage.session("s").state == {"kept": 1}


def test_a_key_deleted_outside_of_run_stays_deleted(tmp_path):
    flow = Echo(session_id="s", storage=f"sqlite:///{tmp_path}/x.db")
    flow.session_state["gone"] = 1
    flow.run().result()
    del flow.session_state["gone"]
    flow.run().result()
    assert flow.session_state == {"said": ["hello", "hello"]}
    assert flow.storage.session("s").state == {"said": ["hello", "hello"]}


def test_agents_belong_to_their_instance():
    one, two = BlogPostGenerator(), BlogPostGenerator()
    assert one.writer is not two.writer
    assert one.writer is not BlogPostGenerator.writer
    assert one.writer.name == "writer"


def test_runs_are_appended_and_never_rewritten(tmp_path):
    flow = Echo(session_id="s", storage=f"sqlite:///{tmp_path}/x.db")
    counts = []
    for _ in range(5):
        flow.run().result()
        with closing(sqlite3.connect(tmp_path / "x.db")) as db:
            tables = ("run_log", "event_log", "state_log")
            counts.append([db.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in tables])
    # A run begins and ends; it says one thing, and changes the state once.
    assert counts == [[2 * n, 2 * n, n] for n in range(1, 6)]


def test_the_text_of_a_stream_is_joined_once():
    class Piece(str):
        """A text that counts how often it is added to another."""

        __slots__ = ()
        added = 0

        def __radd__(self, other: str) -> str:
            Piece.added += 1
            return str(other) + str(self)

    class Many(Workflow):
        def run(self):
            for _ in range(1000):
                yield RunResponse(Piece("ab"))

    assert Many().run().result().content == "ab" * 1000
    assert Piece.added == 0


def test_a_new_session_starts_with_a_fresh_state(tmp_path):
    flow = Echo(session_id="s", storage=f"sqlite:///{tmp_path}/x.db")
    flow.run().result()
    state = flow.session_state
    flow.new_session()
    assert flow.session_id != "s"
    assert flow.session_state == {}
    assert flow.session_state is state
    assert flow.storage.session("s").state == {"said": ["hello"]}


def test_another_user_cannot_read_or_take_over_a_session(tmp_path):
    url = f"sqlite:///{tmp_path}/x.db"
    Echo(session_id="s", user_id="ann", storage=url).run().result()
    with pytest.raises(SessionOwned, match="another user"):
        Echo(session_id="s", user_id="bob", storage=url).run()
    with pytest.raises(SessionOwned):
        _ = Echo(session_id="s", user_id="bob", storage=url).session_state
    assert Echo(session_id="s", user_id="ann", storage=url).session_state == {"said": ["hello"]}


async def collected(stream: Any) -> str:
    return "".join([r.content async for r in stream])


def test_run_and_arun_of_one_class_are_both_saved(tmp_path):
    import asyncio

    class Both(Workflow):
        def run(self):
            self.session_state["sync"] = 1
            yield "sync"

        async def arun(self):
            self.session_state["async"] = 1
            yield "async"

    flow = Both(session_id="s", storage=f"sqlite:///{tmp_path}/x.db")
    assert flow.run().result().content == "sync"
    assert asyncio.run(collected(flow.arun())) == "async"
    assert flow.storage.session("s").state == {"sync": 1, "async": 1}


def test_an_engine_that_cannot_be_honoured_is_refused_loudly():
    with pytest.raises(TypeError, match="db_engine"):
        SqliteWorkflowStorage(table_name="t", db_engine=object())


def test_old_names_and_shapes_are_still_there():
    assert dedent("""RunResponse WorkflowCompleted""").split() == [
        RunEvent.run_response.value,
        RunEvent.workflow_completed.value,
    ]
    response = RunResponse("text", "str", "RunResponse")
    assert (response.content, response.content_type, response.event) == ("text", "str", "RunResponse")
    assert json.loads(RunResponse("text", created_at=1).to_json()) == {
        "content": "text", "content_type": "str", "event": "RunResponse", "created_at": 1,
    }  # fmt: skip
    assert RunResponse(FOUND).get_content_as_string() == FOUND.model_dump_json(exclude_none=True)
