"""Workflow: settings, sessions, and what happens when a save cannot be done."""

from __future__ import annotations

import threading

import duckdb
import pytest

from wf_notebook import Agent, RunResponse, Workflow, open_storage
from wf_notebook.errors import MissingInput, SessionConflict, StorageBusy, UnknownInput, UnsavableValue
from wf_notebook.run import RunContext, current
from wf_notebook.testing import scripted


class Count(Workflow):
    """Counts its runs."""

    def run(self, by: int = 1):
        self.session_state["n"] = self.session_state.get("n", 0) + by
        return RunResponse(str(self.session_state["n"]))


def test_a_workflow_without_storage_keeps_its_state_in_memory_only():
    count = Count()
    assert [count.run().content for _ in range(3)] == ["1", "2", "3"]
    assert count.session_state == {"n": 3}
    assert Count(session_id=count.session_id).session_state == {}


def test_a_workflow_without_a_session_id_gets_a_new_one():
    assert Count().session_id != Count().session_id


def test_without_storage_any_value_may_be_in_the_state():
    count = Count()
    count.session_state["lock"] = lock = threading.Lock()
    count.run()
    assert count.session_state["lock"] is lock


def test_settings_may_be_class_attributes(tmp_path):
    class Settled(Workflow):
        name = "settled"
        description = "what it does"
        session_id = "fixed"
        session_state = {"posts": []}  # noqa: RUF012 - as users write it
        storage = f"sqlite:///{tmp_path}/x.db"

        def run(self):
            self.session_state["posts"].append(1)

    one = Settled()
    assert (one.name, one.description, one.session_id, one.session_state) == ("settled", "what it does", "fixed", {"posts": []})
    one.run()
    assert Settled(session_id="other").session_state == {"posts": []}
    assert Settled().session_state == {"posts": [1]}


def test_the_given_state_applies_only_while_the_session_has_no_version(tmp_path):
    url = f"sqlite:///{tmp_path}/x.db"
    given = {"n": 10}
    first = Count(session_id="s", storage=url, session_state=given)
    assert first.run().content == "11"
    assert Count(session_id="s", storage=url, session_state=given).run().content == "12"
    assert given == {"n": 10}


def test_the_state_is_one_dict_object_whatever_is_assigned_or_loaded(tmp_path):
    url = f"sqlite:///{tmp_path}/x.db"
    count = Count(session_id="s", storage=url)
    state = count.session_state
    count.run()
    count.session_state = {"posts": [1], "n": 1}
    posts = state["posts"]
    count.run()
    other = Count(session_id="s", storage=url)
    other.session_state["posts"].append(2)
    other.write_to_storage()
    count.run()
    assert count.session_state is state
    assert state["posts"] is posts
    assert state == {"posts": [1, 2], "n": 3}


def test_an_edit_between_runs_holds_and_another_kernels_change_arrives(tmp_path):
    url = f"sqlite:///{tmp_path}/x.db"
    mine, theirs = Count(session_id="s", storage=url), Count(session_id="s", storage=url)
    mine.run()
    theirs.session_state["theirs"] = 1
    theirs.write_to_storage()
    mine.session_state["mine"] = 1
    mine.run()
    assert mine.session_state == {"n": 2, "mine": 1, "theirs": 1}


def test_a_conflict_at_load_leaves_the_state_as_it_was_and_reload_ends_it(tmp_path):
    url = f"sqlite:///{tmp_path}/x.db"
    mine, theirs = Count(session_id="s", storage=url), Count(session_id="s", storage=url)
    mine.run(), theirs.run()
    mine.session_state["n"] = 50
    with pytest.raises(SessionConflict, match="'n' was 1, is 50 here and 2 in the store"):
        mine.run()
    assert mine.session_state == {"n": 50}
    mine.session.reload()
    assert mine.session_state == {"n": 2}
    assert mine.run().content == "3"


def test_inputs_are_checked_before_anything_runs():
    class Blog(Workflow):
        def run(self, topic, *, use_cache=True):
            self.session_state["ran"] = True

    blog = Blog()
    for call, error, message in [
        (blog.run, MissingInput, r"Blog.run\(\) needs 'topic'; call it as run\(topic=…\)"),
        (lambda: blog.run(topik="x"), UnknownInput, "did you mean 'topic'"),
        (lambda: blog.run("x", colour="red"), UnknownInput, "it takes 'topic', 'use_cache'"),
        (lambda: blog.run("x", "y"), UnknownInput, "too many positional arguments"),
    ]:
        with pytest.raises(error, match=message):
            call()
        with pytest.raises(TypeError):
            call()
    assert blog.session_state == {}
    assert blog.last_run is None


def test_inputs_are_recorded_by_name():
    class Flow(Workflow):
        def run(self, a, *rest, b=2, **more):
            return "x"

    flow = Flow()
    flow.run(1, 5, 6, c=3)
    assert flow.last_run.inputs == {"a": 1, "rest": (5, 6), "c": 3}
    assert flow.run_input == flow.last_run.inputs


def test_a_workflow_without_run_says_so():
    with pytest.raises(NotImplementedError, match="Workflow has no run"):
        Workflow().run()


def test_an_argument_nobody_knows_is_refused_with_a_suggestion():
    with pytest.raises(TypeError, match="did you mean 'session_id'"):
        Workflow(sesion_id="x")
    with pytest.warns(UserWarning, match="monitoring"):
        Workflow(monitoring=True)


def test_agents_in_lists_and_of_base_classes_belong_to_the_instance_too():
    class Base(Workflow):
        writer = Agent()

    class Team(Base):
        team = [Agent(name="a"), Agent(name="b")]  # noqa: RUF012 - as users write it
        named = {"c": Agent(name="c")}  # noqa: RUF012 - as a user writes it

    one, two = Team(), Team()
    assert one.writer is not two.writer
    assert one.team[0] is not two.team[0] is not Team.team[0]
    assert one.named["c"] is not two.named["c"]


def test_agents_know_the_run_that_calls_them_and_it_counts_their_tokens():
    seen: list[RunContext | None] = []

    def answer(_request):
        seen.append(current.get())
        return "three short words"

    class Flow(Workflow):
        writer = Agent()

        def run(self):
            yield self.writer.run("go")
            yield self.writer.run("go", stream=True)

    flow = Flow()
    flow.writer.model = scripted(answer, answer)
    result = flow.run().result()
    assert [context.run_id for context in seen] == [flow.last_run.run_id] * 2
    assert flow.last_run.output_tokens == result.metrics["output_tokens"] > 0
    assert flow.last_run.models == ("scripted",)


def test_assigning_another_session_id_saves_this_session_and_goes_on_in_that_one(tmp_path):
    url = f"sqlite:///{tmp_path}/x.db"
    Count(session_id="b", storage=url).run(by=100)
    count = Count(session_id="a", storage=url)
    count.run()
    count.session_state["edit"] = 1
    count.session_id = "b"
    assert count.session_state == {"n": 100}
    assert count.storage.session("a").state == {"n": 1, "edit": 1}


def test_rename_and_delete(tmp_path):
    url = f"sqlite:///{tmp_path}/x.db"
    count = Count(session_id="s", storage=url)
    count.run()
    count.rename_session("My session")
    again = Count(session_id="s", storage=url)
    again.read_from_storage()
    assert again.session_name == "My session"
    count.delete_session()
    assert count.session_state == {}
    assert Count(session_id="s", storage=url).session_state == {}
    assert count.storage.get_all_session_ids() == []
    assert count.run().content == "1"
    assert Count(session_id="s", storage=url).session_state == {"n": 1}


def test_a_batch_answer_that_was_paid_for_is_reachable_when_its_save_fails(tmp_path):
    count = Count(session_id="s", storage=f"duckdb:///{tmp_path}/x.duckdb")
    count.run()

    class Holds(Count):
        def run(self):
            held_now.append(duckdb.connect(tmp_path / "x.duckdb", read_only=True))
            return super().run()

    held_now: list[duckdb.DuckDBPyConnection] = []
    flow = Holds(session_id="s", storage=count.storage)
    with pytest.raises(StorageBusy, match=r"open read-only in this kernel.*write_to_storage\(\)") as busy:
        flow.run()
    assert busy.value.response.content == "2"
    held_now[0].close()
    flow.write_to_storage()
    assert open_storage(count.storage.url).session("s").state == {"n": 2}
    assert flow.storage.run(flow.last_run.run_id).status == "completed"


def test_the_users_own_exception_wins_over_the_saves_which_is_a_note_on_it(tmp_path):
    class Fails(Workflow):
        def run(self):
            self.session_state["odd"] = object()
            raise ValueError("mine")

    with pytest.raises(ValueError, match="mine") as error:
        Fails(session_id="s", storage=f"sqlite:///{tmp_path}/x.db").run()
    assert any('session_state["odd"]' in note for note in error.value.__notes__)


def test_a_run_that_leaves_what_cannot_be_kept_says_so_when_it_ends(tmp_path):
    class Odd(Workflow):
        def run(self):
            self.session_state["fine"] = 1
            self.session_state["odd"] = object()
            return "answer"

    flow = Odd(session_id="s", storage=f"sqlite:///{tmp_path}/x.db")
    with pytest.raises(UnsavableValue, match="of type 'object'") as error:
        flow.run()
    assert error.value.path == 'session_state["odd"]'
    assert error.value.response.content == "answer"
    assert flow.storage.session("s").state == {"fine": 1}
    assert flow.storage.run(flow.last_run.run_id).status == "completed"


def test_what_a_run_changed_is_in_its_record(tmp_path):
    class Changes(Workflow):
        def run(self):
            self.session_state["new"] = 1
            del self.session_state["old"]

    flow = Changes(session_id="s", storage=f"sqlite:///{tmp_path}/x.db", session_state={"old": 1, "same": 2})
    flow.write_to_storage()
    flow.run()
    assert flow.last_run.changes == {"new": "set", "old": "delete"}


def test_a_run_says_what_it_changed_as_the_version_does_that_it_made():
    class Grows(Workflow):
        def run(self):
            self.session_state.setdefault("posts", []).append(1)
            self.session_state.setdefault("stats", {})[str(len(self.session_state["posts"]))] = 1
            yield "ok"

    flow = Grows(session_id="demo", storage="memory:")
    for changes in ({"posts": "set", "stats": "set"}, {"posts": "append", "stats": "put"}):
        flow.run().result()
        assert flow.last_run.changes == dict(flow.session.versions()[-1].changes) == changes
    assert flow.storage.run(flow.last_run.run_id) == flow.last_run


def test_state_and_events_are_saved_while_a_run_goes_on(tmp_path):
    class Slow(Workflow):
        def run(self):
            self.session_state["step"] = 1
            yield "said early"
            assert go_on.wait(20)

    go_on = threading.Event()
    flow = Slow(session_id="s", storage=f"sqlite:///{tmp_path}/x.db")
    stream = flow.run()
    next(stream)
    storage = open_storage(flow.storage.url)
    seen = threading.Event()
    for _ in range(200):  # the saver comes every quarter of a second
        if storage.session("s").state == {"step": 1}:
            seen.set()
            break
        threading.Event().wait(0.05)
    assert seen.is_set()
    assert storage.run(stream.run.run_id).status == "running"
    go_on.set()
    list(stream)
    assert storage.run(stream.run.run_id).status == "completed"


def test_two_workflows_of_one_session_share_its_state(tmp_path):
    class Reads(Workflow):
        def run(self):
            return str(self.session_state)

    url = f"sqlite:///{tmp_path}/x.db"
    Count(session_id="s", storage=url).run()
    assert Reads(session_id="s", storage=url).run().content == "{'n': 1}"


def test_an_instance_whose_class_was_defined_anew_says_once_that_it_runs_the_old_code(shell):
    shell.run_cell("from wf_notebook import Workflow\nclass Flow(Workflow):\n    def run(self): return 'old'").raise_error()
    shell.run_cell("flow = Flow()").raise_error()
    shell.run_cell("class Flow(Workflow):\n    def run(self): return 'new'").raise_error()
    flow = shell.user_ns["flow"]
    with pytest.warns(UserWarning, match="Flow was defined anew"):
        assert flow.run().content == "old"
    assert flow.run().content == "old"
    assert shell.user_ns["Flow"]().run().content == "new"
