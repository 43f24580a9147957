"""A step that was done is not done again; what it gave comes back as it was."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import threading
from dataclasses import dataclass
from decimal import Decimal
from uuid import uuid4

import numpy as np
import pandas as pd
import pytest

from wf_notebook import RunResponse, Workflow, open_storage, parallel, step, steps
from wf_notebook.errors import BadSetting, CacheMiss, UncacheableArgument, UnknownStep

#: By which a step says that it is done: a list would be one more thing that it depends on.
note = logging.getLogger("tests.cache")
done: list[str] = []


@pytest.fixture(autouse=True)
def nothing_done(noted, monkeypatch):
    monkeypatch.setitem(globals(), "done", noted("tests.cache"))


@pytest.fixture(params=["memory", "sqlite", "duckdb"])
def storage(request, tmp_path):
    """Return a storage, or none: then steps are remembered as long as the workflow lives."""
    if request.param == "memory":
        return open_storage("memory:")
    return open_storage(f"{request.param}:///{tmp_path}/runs.db")


@dataclass
class Point:
    """A value of a class of the user's."""

    x: int
    y: list[int]


class Blog(Workflow):
    """Has steps of all kinds."""

    @step
    def outline(self, topic):
        note.info("outline")
        print("thinking")  # noqa: T201 - it is to be heard
        return {"topic": topic, "points": (1, 2), "p": Point(1, [2]), "price": Decimal("1.10")}

    @step
    def words(self, outline):
        note.info("words")
        yield RunResponse("one ")
        yield RunResponse("two", agent_id="writer")
        return 2

    @step
    async def check(self, text):
        note.info("check")
        await asyncio.sleep(0)
        return text.upper()

    @step
    async def stream(self, text):
        note.info("stream")
        for word in text.split():
            yield word

    def run(self, topic, fail=False):
        outline = self.outline(topic)
        count = yield from self.words(outline)
        if fail:
            raise ValueError("no")
        yield f" {count} {outline!r}"

    async def arun(self, topic):
        yield await self.check(topic)
        async for word in self.stream(topic):
            yield word


def said(stream):
    return [(response.content, response.agent_id) for response in stream]


def test_a_rerun_does_no_step_again_and_says_the_same(storage, capsys):
    first = said(Blog(session_id="a", storage=storage, cache="use").run("cheese"))
    assert done == ["outline", "words"]
    done.clear()
    capsys.readouterr()
    assert said(Blog(session_id="a", storage=storage, cache="use").run("cheese")) == first
    assert done == []
    assert first[:2] == [("one ", None), ("two", "writer")]
    assert "Decimal('1.10')" in first[2][0]
    assert capsys.readouterr().out == "thinking\n"


def test_async_steps_are_remembered_too(storage):
    async def words():
        return [response.content async for response in blog.arun("two words")]

    blog = Blog(session_id="a", storage=storage, cache="use")
    first = asyncio.run(words())
    assert (first, done) == (["TWO WORDS", "two", "words"], ["check", "stream"])
    done.clear()
    assert asyncio.run(words()) == first
    assert done == []


def test_another_argument_is_another_step_and_going_back_finds_the_old_one(storage):
    blog = Blog(session_id="a", storage=storage, cache="use")
    for topic in ("cheese", "wine", "cheese"):
        blog.run(topic).result()
    assert done == ["outline", "words"] * 2


def test_a_run_that_failed_goes_on_after_its_last_step(storage):
    blog = Blog(session_id="a", storage=storage, cache="use")
    with pytest.raises(ValueError, match="no"):
        blog.run("cheese", fail=True).result()
    done.clear()
    assert blog.run("cheese").result().content.startswith("one two")
    assert done == []


def test_without_being_asked_nothing_is_remembered(storage):
    blog = Blog(session_id="a", storage=storage)
    for _ in range(2):
        blog.run("cheese").result()
    assert done == ["outline", "words"] * 2
    assert len(blog.last_run.why()) == 0


def test_outside_of_a_run_a_step_is_a_plain_call():
    blog = Blog(cache="use")
    assert blog.outline("cheese")["topic"] == blog.outline("cheese")["topic"] == "cheese"
    assert done == ["outline", "outline"]


def test_steps_belong_to_their_session(storage):
    Blog(session_id="a", storage=storage, cache="use").run("cheese").result()
    Blog(session_id="b", storage=storage, cache="use").run("cheese").result()
    assert done == ["outline", "words"] * 2


def test_a_fork_knows_the_steps_of_its_origin_and_adds_its_own(storage):
    blog = Blog(session_id="a", storage=storage, cache="use")
    blog.run("cheese").result()
    blog.session.fork("b")
    done.clear()
    fork = Blog(session_id="b", storage=storage, cache="use")
    fork.run("cheese").result()
    assert done == []
    fork.run("wine").result()
    done.clear()
    blog.run("wine").result()
    assert done == ["outline", "words"]


def test_a_deleted_session_takes_its_steps_along_and_brings_them_back(storage):
    blog = Blog(session_id="a", storage=storage, cache="use")
    blog.run("cheese").result()
    storage.delete_session("a")
    done.clear()
    blog = Blog(session_id="a", storage=storage, cache="use")
    blog.run("cheese").result()
    assert done == ["outline", "words"]


# -- modes ---------------------------------------------------------------------------------------------------------------------


class Thrown(Workflow):
    """Gives something else each time."""

    @step
    def throw(self):
        return uuid4().int % 1_000_000

    @step
    def doubled(self, n):
        note.info("doubled")
        return 2 * n

    def run(self):
        return str(self.doubled(self.throw()))


def test_refresh_adds_a_take_and_a_take_can_be_chosen(storage):
    dice = Thrown(session_id="a", storage=storage, cache="use")
    first = dice.run().content
    dice.cache = "refresh"
    second = dice.run().content
    dice.cache = "use"
    assert first != second == dice.run().content
    takes = dice.session.takes("throw")
    assert [(row["take"], row["used"]) for row in takes] == [(1, ""), (2, "✓ used")]
    assert dice.session.use(1) == 1
    done.clear()
    again = Thrown(session_id="a", storage=open_storage(storage.url) if "///" in storage.url else storage, cache="use")
    assert again.run().content == first
    assert done == []


def test_a_take_that_is_not_there_is_refused_with_a_remedy(storage):
    dice = Thrown(session_id="a", storage=storage, cache="use")
    dice.run()
    with pytest.raises(BadSetting, match="there is no take 3; run with cache='refresh'"):
        dice.session.use(3)


def test_what_is_forgotten_is_done_again(storage):
    blog = Blog(session_id="a", storage=storage, cache="use")
    blog.run("cheese").result()
    assert blog.forget(step="words") == 1
    done.clear()
    Blog(session_id="a", storage=storage, cache="use").run("cheese").result()
    assert done == ["words"]
    with pytest.raises(UnknownStep, match="remembers no step 'word'; did you mean 'words'"):
        blog.forget(step="word")


def test_steps_of_one_run_can_be_forgotten(storage):
    blog = Blog(session_id="a", storage=storage, cache="use")
    blog.run("cheese").result()
    blog.run("wine").result()
    assert blog.session.forget(run=blog.last_run.run_id[:8]) == 2
    done.clear()
    blog.run("cheese").result()
    assert done == []


def test_only_fails_where_a_step_is_not_remembered_and_says_what_changed(storage):
    blog = Blog(session_id="a", storage=storage, cache="use")
    blog.run("cheese").result()
    blog.cache = "only"
    blog.run("cheese").result()
    with pytest.raises(CacheMiss, match="step 'outline' is not remembered: argument `topic` 'cheese' → 'wine'"):
        blog.run("wine").result()


def test_the_environment_says_how_where_the_workflow_does_not(monkeypatch):
    monkeypatch.setenv("WF_CACHE", "use")
    blog = Blog()
    for _ in range(2):
        blog.run("cheese").result()
    assert done == ["outline", "words"]
    monkeypatch.setenv("WF_CACHE", "yes")
    with pytest.raises(BadSetting, match="WF_CACHE='yes' is no mode; write one of 'use'"):
        blog.run("cheese")


def test_a_mode_that_is_none_is_refused():
    with pytest.raises(BadSetting, match="cache='on' is no mode"):
        Blog(cache="on")
    with pytest.raises(BadSetting, match="cache='of' is no mode; did you mean 'off'"):
        step(cache="of")


def test_a_step_with_an_effect_is_done_each_time():
    class Sends(Workflow):
        @step(cache="off")
        def send(self):
            note.info("send")

        def run(self):
            self.send()

    sends = Sends(cache="use")
    for _ in range(2):
        sends.run()
    assert done == ["send", "send"]


# -- what comes back -----------------------------------------------------------------------------------------------------------


def test_a_mutated_result_does_not_change_what_is_remembered(storage):
    class Lists(Workflow):
        @step
        def make(self):
            return [1, [2]]

        def run(self):
            made = self.make()
            made[1].append(3)
            return str(made)

    lists = Lists(session_id="a", storage=storage, cache="use")
    assert [lists.run().content for _ in range(3)] == ["[1, [2, 3]]"] * 3


def test_none_is_a_result_and_an_exception_is_none(storage):
    class Odd(Workflow):
        @step
        def nothing(self):
            note.info("nothing")

        @step
        def fails(self):
            note.info("fails")
            raise KeyError("x")

        def run(self):
            self.nothing()
            self.fails()

    odd = Odd(session_id="a", storage=storage, cache="use")
    for _ in range(2):
        with pytest.raises(KeyError):
            odd.run()
    assert done == ["nothing", "fails", "fails"]


def test_arrays_and_frames_come_back_in_a_new_session_object(storage):
    class Data(Workflow):
        @step
        def load(self):
            note.info("load")
            return np.arange(20_000), pd.DataFrame({"a": range(5_000)})

        def run(self):
            array, frame = self.load()
            return f"{array.sum()} {frame.a.sum()} {frame.shape}"

    first = Data(session_id="a", storage=storage, cache="use").run().content
    again = open_storage(storage.url) if "///" in storage.url else storage
    assert Data(session_id="a", storage=again, cache="use").run().content == first
    assert done == ["load"]


def test_a_change_of_the_state_is_made_again_on_a_hit(storage):
    class Posts(Workflow):
        @step
        def add(self, title):
            note.info(title)
            self.session_state["posts"] = {title: np.arange(3)}
            self.session_state["last"] = title

        def run(self, title):
            self.add(title)
            return str(sorted(self.session_state))

    posts = Posts(session_id="a", storage=storage, cache="use")
    posts.run("one")
    posts.run("two")
    posts.session_state.clear()
    assert posts.run("one").content == "['last', 'posts']"
    assert done == ["one", "two"]
    assert posts.session_state["last"] == "one"
    assert list(posts.session_state["posts"]["one"]) == [0, 1, 2]


def test_a_state_that_is_read_counts_by_its_value(storage):
    class Reads(Workflow):
        @step
        def read(self):
            note.info("read")
            return self.session_state["n"] * 2

        def run(self):
            return str(self.read())

    reads = Reads(session_id="a", storage=storage, cache="use")
    answers = []
    for n in (1, 1, 2, 1):
        reads.session_state["n"] = n
        answers.append(reads.run().content)
    assert (answers, done) == (["2", "2", "4", "2"], ["read", "read"])


def test_the_nth_equal_call_of_a_run_has_its_own_result(storage):
    class Samples(Workflow):
        @step
        def sample(self):
            return uuid4().int % 1_000_000

        def run(self, n):
            return str([self.sample() for _ in range(n)])

    samples = Samples(session_id="a", storage=storage, cache="use")
    three = samples.run(3).content
    assert len(set(eval(three))) == 3
    assert samples.run(3).content == three
    assert eval(samples.run(4).content)[:3] == eval(three)


def test_equal_calls_in_branches_are_told_apart_by_the_branch(storage):
    class Samples(Workflow):
        @step
        def sample(self):
            return uuid4().int % 1_000_000

        def one(self):
            return self.sample(), self.sample()

        def two(self):
            return self.sample(), self.sample()

        def run(self):
            return str(parallel(self.one, self.two))

    samples = Samples(session_id="a", storage=storage, cache="use")
    first = samples.run().content
    assert len({n for pair in eval(first) for n in pair}) == 4
    assert samples.run().content == first


def test_a_hit_counts_the_steps_inside_of_it(storage):
    class Nested(Workflow):
        @step
        def sample(self):
            return uuid4().int % 1_000_000

        @step
        def outer(self):
            return [self.sample(), self.sample()]

        def run(self, fail=False):
            both = self.outer()
            if fail:
                raise RuntimeError
            return str([*both, self.sample()])

    nested = Nested(session_id="a", storage=storage, cache="use")
    with pytest.raises(RuntimeError):
        nested.run(fail=True)
    answer = eval(nested.run().content)
    assert len(set(answer)) == 3
    assert eval(nested.run().content) == answer


def test_two_steps_side_by_side_that_both_change_the_state_are_not_remembered(storage):
    class Both(Workflow):
        @step
        def left(self):
            note.info("left")
            barrier.wait(5)
            self.session_state["left"] = 1
            barrier.wait(5)

        @step
        def right(self):
            note.info("right")
            barrier.wait(5)
            self.session_state["right"] = 1
            barrier.wait(5)

        def run(self):
            parallel(self.left, self.right)

    barrier = threading.Barrier(2)
    both = Both(session_id="a", storage=storage, cache="use")
    both.run()
    assert both.session_state == {"left": 1, "right": 1}
    told = [row["why"] for row in both.last_run.why()]
    assert len(told) == 2
    assert all("not remembered" in why for why in told), told


def test_a_step_that_changes_the_state_beside_one_that_cannot_is_remembered(storage):
    class Both(Workflow):
        @step
        def left(self, n):
            note.info("left")
            self.session_state["left"] = n
            meet()

        @step
        def right(self, n):
            note.info("right")
            meet()
            return n

        def run(self):
            parallel(lambda: self.left(1), lambda: self.right(2))

    both = Both(session_id="a", storage=storage, cache="use")
    both.run()
    done.clear()
    both.session_state.clear()
    both.run()
    assert (done, both.session_state) == ([], {"left": 1})


_meeting = threading.Barrier(2)


def meet():
    """Wait for the other branch."""
    _meeting.wait(5)


# -- what cannot be remembered -------------------------------------------------------------------------------------------------


def test_an_argument_without_content_is_refused_with_a_remedy():
    class Asks(Workflow):
        @step
        def ask(self, client):
            return 1

        def run(self):
            return str(self.ask(threading.Thread()))

    with pytest.raises(UncacheableArgument, match="argument 'client' of ask\\(\\) has no key"):
        Asks(cache="use").run()


def test_a_result_that_cannot_be_kept_is_given_and_the_reason_is_told(storage):
    class Makes(Workflow):
        @step
        def make(self):
            note.info("make")
            return threading.Lock()

        def run(self):
            return type(self.make()).__name__

    makes = Makes(session_id="a", storage=storage, cache="use")
    assert [makes.run().content for _ in range(2)] == ["lock", "lock"]
    assert done == ["make", "make"]
    assert "not remembered: the result" in makes.last_run.why()[0]["why"]


def test_a_result_with_a_secret_is_not_kept(storage, monkeypatch):
    monkeypatch.setenv("MY_API_KEY", "sk-very-secret-value")

    class Tells(Workflow):
        @step
        def tell(self):
            note.info("tell")
            return "sk-very-secret-" + "value"

        def run(self):
            return str(len(self.tell()))

    tells = Tells(session_id="a", storage=storage, cache="use")
    assert [tells.run().content for _ in range(2)] == ["20", "20"]
    assert done == ["tell", "tell"]
    assert "holds the secret MY_API_KEY" in tells.last_run.why()[0]["why"]


def test_a_stream_that_was_left_before_its_end_is_not_remembered(storage):
    class Streams(Workflow):
        @step
        def words(self):
            note.info("words")
            yield "a"
            yield "b"

        def run(self):
            yield next(self.words())

    streams = Streams(session_id="a", storage=storage, cache="use")
    for _ in range(2):
        streams.run().result()
    assert done == ["words", "words"]


def test_a_private_run_leaves_no_step_in_the_store(storage):
    Blog(session_id="a", storage=storage, cache="use", private=True).run("cheese").result()
    assert len(storage.sql("SELECT * FROM steps")) == 0


def test_steps_are_a_view_that_anyone_can_query(storage):
    Blog(session_id="a", storage=storage, cache="use").run("cheese").result()
    rows = storage.sql("SELECT name, kind, place FROM steps ORDER BY made_at")
    assert [tuple(row.values()) for row in rows] == [("outline", "step", "#1"), ("words", "step", "#1")]


# -- damage --------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("damage", ["'{'", "'{}'", "'[1]'", """'{"value":{"$dataclass":"no.such:Class","fields":{}}}'"""])
def test_a_damaged_entry_is_a_miss_with_a_warning(tmp_path, damage, capsys):
    url = f"sqlite:///{tmp_path}/runs.db"
    first = said(Blog(session_id="a", storage=url, cache="use").run("cheese"))
    with sqlite3.connect(tmp_path / "runs.db") as database:
        database.execute(f"UPDATE step_log SET result = {damage} WHERE name = 'outline'")
    database.close()
    done.clear()
    forget_what_is_known()
    assert said(Blog(session_id="a", storage=url, cache="use").run("cheese")) == first
    assert done == ["outline"]
    assert "what is remembered of step 'outline' cannot be used" in capsys.readouterr().err


def forget_what_is_known():
    """Be as a new process is."""
    steps._remembered.clear()


def test_a_file_of_the_release_before_steps_is_read_and_gets_them_by_the_first_save(tmp_path):
    url = f"sqlite:///{tmp_path}/runs.db"
    Blog(session_id="a", storage=url).run("cheese").result()
    with sqlite3.connect(tmp_path / "runs.db") as database:
        database.execute("DROP VIEW steps")
        database.execute("DROP TABLE step_log")
        database.execute("DELETE FROM schema_log WHERE migration = 3")
    database.close()
    forget_what_is_known()
    assert open_storage(url).session("a").state == {}
    blog = Blog(session_id="a", storage=open_storage(url), cache="use")
    blog.run("cheese").result()
    done.clear()
    forget_what_is_known()
    Blog(session_id="a", storage=open_storage(url), cache="use").run("cheese").result()
    assert done == []


def test_a_purged_session_leaves_no_step(storage):
    Blog(session_id="a", storage=storage, cache="use").run("cheese").result()
    storage.purge("a")
    assert len(storage.sql("SELECT * FROM steps")) == 0
    done.clear()
    Blog(session_id="a", storage=storage, cache="use").run("cheese").result()
    assert done == ["outline", "words"]


def test_beyond_its_limit_the_steps_that_were_done_first_are_erased(storage):
    class Large(Workflow):
        @step
        def large(self, n):
            note.info(str(n))
            return str(n) * 1000

        def run(self, n):
            return self.large(n)[0]

    large = Large(session_id="a", storage=storage, cache="use", cache_limit=2500)
    for n in (1, 2, 3):
        large.run(n)
    assert len(storage.sql("SELECT * FROM steps")) == 2
    done.clear()
    for n in (3, 2, 1):
        large.run(n)
    assert done == ["1"]
    with pytest.raises(BadSetting, match="cache_limit is of type 'str'; give a number of bytes"):
        Large(cache_limit="1 MB")


# -- who changed what ----------------------------------------------------------------------------------------------------------


def test_what_run_changes_between_the_items_of_a_step_is_not_the_step_s(storage):
    class Counts(Workflow):
        @step
        def words(self):
            note.info("words")
            for word in ("a", "b", "c"):
                self.session_state["last"] = word
                yield word

        def run(self):
            for word in self.words():
                self.session_state["seen"] = [*self.session_state.get("seen", []), word]
                yield word

    counts = Counts(session_id="a", storage=storage, cache="use")
    for times in (1, 2):
        counts.run().result()
        assert counts.session_state == {"last": "c", "seen": ["a", "b", "c"] * times}
    assert done == ["words"]


def test_a_stream_that_is_left_for_a_while_keeps_nobody_waiting_for_itself(storage):
    blog = Blog(session_id="a", storage=storage, cache="use")
    first = blog.run("cheese")
    assert next(first).content == "one "
    second = Blog(session_id="a", storage=storage, cache="use").run("cheese").result()
    assert second.content.startswith("one two")
    assert first.result().content == second.content


def test_what_a_step_inside_printed_is_printed_once_by_a_hit_inside_another_step(storage, capsys):
    class Nested(Workflow):
        @step
        def inner(self):
            print("inner")  # noqa: T201 - it is to be heard

        @step
        def outer(self, n):
            self.inner()
            return n

        def run(self, n):
            return str(self.outer(n))

    nested = Nested(session_id="a", storage=storage, cache="use")
    for n in (1, 2, 2):
        nested.run(n)
        assert capsys.readouterr().out == "inner\n"


class Sets(Workflow):
    """Sets keys of the state that it does not read."""

    LIMIT = 1

    @step
    def set(self, n):
        note.info("set")
        self.session_state["n"] = n
        self.session_state["words"] = {"a": 1, "b": self.LIMIT}
        self.session_state.update(more=[1])

    def run(self, n):
        self.set(n)
        return "set"


def test_a_change_that_was_there_already_is_not_lost_on_a_hit(storage):
    sets = Sets(session_id="a", storage=storage, cache="use")
    sets.session_state.update(n=3, words={"a": 1, "b": 1}, more=[1])
    sets.run(3)
    sets.run(3)
    assert done == ["set"]
    sets.session_state.clear()
    sets.run(3)
    assert sets.session_state == {"n": 3, "words": {"a": 1, "b": 1}, "more": [1]}
    assert done == ["set", "set"]
    assert next(row["why"] for row in sets.last_run.why()).startswith("session_state['")
    sets.session_state.clear()
    sets.run(3)
    assert sets.session_state == {"n": 3, "words": {"a": 1, "b": 1}, "more": [1]}
    assert done == ["set", "set"]


def test_what_is_set_as_a_whole_comes_back_as_a_whole(storage):
    sets = Sets(session_id="a", storage=storage, cache="use")
    sets.session_state.update(words={"a": 1, "b": 7}, more=[])
    sets.run(3)
    sets.session_state.update(words={"z": 1}, more=[5])
    sets.run(3)
    assert done == ["set"]
    assert sets.session_state == {"n": 3, "words": {"a": 1, "b": 1}, "more": [1]}


def test_a_key_known_only_when_it_runs_that_held_the_same_is_not_lost_on_a_hit(storage):
    class Anywhere(Workflow):
        @step
        def set(self, name):
            note.info(name)
            self.session_state[name.lower()] = 1

        def run(self, name):
            self.set(name)
            return "set"

    anywhere = Anywhere(session_id="a", storage=storage, cache="use")
    anywhere.session_state["n"] = 1
    for _ in range(2):
        anywhere.run("N")
    assert done == ["N"]
    anywhere.session_state.clear()
    for _ in range(2):
        anywhere.run("N")
    assert (done, anywhere.session_state) == (["N", "N"], {"n": 1})


def test_a_plan_counts_no_step_twice(storage):
    class Three(Workflow):
        @step
        def one(self, n):
            return n

        @step
        def two(self):
            return 2

        def run(self, n):
            if n == 2:
                self.two()
            return str(self.one(n) + self.two())

    three = Three(session_id="a", storage=storage, cache="use")
    three.run(1)
    plan = three.plan(2)
    assert (plan.hits, plan.first, plan.after) == (("two",), "one", ())


def test_takes_show_what_a_stream_said(storage):
    class Says(Workflow):
        @step
        def say(self):
            yield "one "
            yield 2

        def run(self):
            return "".join(map(str, self.say()))

    says = Says(session_id="a", storage=storage, cache="refresh")
    says.run()
    says.run()
    assert [row["gave"] for row in says.session.takes()] == ["one 2", "one 2"]


def test_a_run_without_steps_is_not_said_to_have_had_no_cache():
    class Plain(Workflow):
        def run(self):
            return "plain"

    plain = Plain(cache="use")
    plain.run()
    assert "no steps that could be remembered" in repr(plain.last_run.why())


def test_a_step_that_changes_what_it_was_given_is_done_each_time_and_says_why(storage):
    class Adds(Workflow):
        @step
        def add(self, words, array):
            words.append("one")
            array[0] = 7

        def run(self):
            words, array = [], np.zeros(1)
            self.add(words, array)
            return f"{words} {array}"

    adds = Adds(session_id="a", storage=storage, cache="use")
    assert [adds.run().content for _ in range(2)] == ["['one'] [7.]"] * 2
    assert next(row["why"] for row in adds.last_run.why()).endswith(
        "it changed its argument `words`; change a copy, and return that"
    )


def test_why_says_nothing_of_where_an_object_lies(storage):
    class Shows(Workflow):
        @step
        def show(self, thing):
            return str(thing.x)

        def run(self, x):
            thing = Thing()
            thing.x = x
            return self.show(thing)

    class Thing:
        x = 0

    shows = Shows(session_id="a", storage=storage, cache="use")
    shows.run(1)
    shows.run(2)
    assert [row["why"] for row in shows.last_run.why()] == ["argument `thing`"]


def test_what_run_itself_counts_in_the_state_does_not_keep_a_step_from_the_store(storage):
    class Counts(Workflow):
        @step
        def set(self, name):
            note.info(name)
            self.session_state[name.lower()] = 1

        def run(self):
            self.session_state["runs"] = self.session_state.get("runs", 0) + 1
            self.set("N")
            return "set"

    counts = Counts(session_id="a", storage=storage, cache="use")
    counts.session_state["n"] = 1
    for _ in range(3):
        counts.run()
    assert done == ["N"]


def test_a_step_that_sets_an_attribute_is_done_each_time_and_the_reason_is_told(storage):
    class Sets(Workflow):
        @step
        def prepare(self):
            note.info("prepare")
            self.parts = ["a", "b"]

        def run(self):
            self.prepare()
            return "".join(self.parts)

    assert [Sets(session_id="a", storage=storage, cache="use").run().content for _ in range(2)] == ["ab", "ab"]
    assert done == ["prepare", "prepare"]
    sets = Sets(session_id="a", storage=storage, cache="use")
    sets.run()
    assert "it set self.parts" in sets.last_run.why()[0]["why"]


def test_a_stream_that_a_plain_step_returned_is_awaited_again_as_it_was(storage):
    async def words(text):
        for word in text.split():
            yield word

    class Streams(Workflow):
        @step
        def words(self, text):
            note.info("words")
            return words(text)

        async def arun(self, text):
            async for word in self.words(text):
                yield word

    async def read():
        return [said.content async for said in Streams(session_id="a", storage=storage, cache="use").arun("a b")]

    assert [asyncio.run(read()) for _ in range(2)] == [["a", "b"], ["a", "b"]]
    assert done == ["words"]


class Breaks(Workflow):
    """Has a step that is done and one that fails."""

    @step
    def fine(self):
        return "fine"

    @step
    def broken(self):
        raise OSError("no network")

    def run(self):
        yield self.fine()
        self.broken()


def test_why_counts_a_step_that_failed_as_failed(storage):
    workflow = Breaks(session_id="demo", storage=storage, cache="use")
    with pytest.raises(OSError, match="no network"):
        list(workflow.run())
    why = workflow.last_run.why()
    assert "1 done, 1 failed in" in repr(why)
    assert why["why"] == ["nothing is remembered of it in this session"] * 2
