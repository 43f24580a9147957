"""%wf: looks at sessions and runs, goes back, and says in a line what it did."""

from __future__ import annotations

import re

import pytest
from IPython.core.completer import provisionalcompleter

from wf_notebook import open_storage
from wf_notebook.diffs import Diff
from wf_notebook.errors import (
    BadArguments,
    BadQuery,
    BadStorage,
    SessionConflict,
    SessionExists,
    StorageBusy,
    UnknownOption,
    UnknownPath,
    UnknownRun,
    UnknownSession,
    UnknownVerb,
    UnknownVersion,
)
from wf_notebook.frames import Table
from wf_notebook.notebook.verbs import VERBS
from wf_notebook.run import Run
from wf_notebook.verbs.table import options_of

EVIL = """x'); DROP TABLE state_log; -- <b>"""

BLOG = """
from wf_notebook import Workflow
class Blog(Workflow):
    def run(self, topic):
        self.session_state.setdefault("posts", []).append({"title": topic})
        self.session_state["last"] = topic
        yield "On " + topic
"""


@pytest.fixture
def blog(cells):
    """Return cells after `blog` has run about cats, dogs and ducks."""
    cells.good(f'%%workflow blog -q topic="cats"\n{BLOG}')
    for topic in ("dogs", "ducks"):
        cells.good(f'%workflow blog -q topic="{topic}"')
    return cells


@pytest.fixture
def blog_in_a_file(cells, monkeypatch):
    monkeypatch.setenv("WF_STORAGE", "duckdb:///runs.duckdb")
    cells.good(f'%%workflow blog -q topic="cats"\n{BLOG}')
    return cells


def one_line(error: BaseException) -> str:
    lines = error._render_traceback_()
    assert len(lines) == 1
    return lines[0]


# -- looking -------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("line", ["%wf", "%wf -h", "%wf help"])
def test_alone_it_lists_its_verbs_with_a_line_for_each(cells, line):
    assert cells.good(line) is None
    for verb in VERBS:
        assert re.search(rf"^  %wf {verb.name}\b.*  \S", cells.printed, re.MULTILINE)
        assert verb.help in cells.printed


@pytest.mark.parametrize("verb", VERBS, ids=lambda verb: verb.name)
def test_every_verb_explains_itself_and_its_options(cells, verb):
    cells.good(f"%wf {verb.name} -h")
    assert cells.printed.startswith(f"%wf {verb.name}")
    for option in options_of(verb):
        assert f"--{option.name}" in cells.printed


def test_sessions_are_a_table_and_a_value(blog):
    table = blog.good("t = %wf sessions\nt")
    assert isinstance(table, Table)
    assert (table["session_id"], table["versions"], table["runs"]) == (["blog"], [3], [3])


def test_without_a_session_a_verb_takes_that_of_the_last_run_and_prints_its_name(blog):
    blog.good('%workflow blog -q -s other topic="rats"')
    assert blog.good("%wf state last")["value"] == ["rats"]
    assert blog.printed.startswith("session 'other'\n")
    assert blog.good("%wf state last --session blog")["value"] == ["ducks"]
    assert not blog.printed.startswith("session")


def test_a_plain_workflow_counts_as_one_of_the_magic_does(blog):
    blog.good("mine = Blog(session_id='mine', storage=blog.storage)\nmine.run('ants').result()")
    assert blog.good("%wf state last")["value"] == ["ants"]
    assert "session 'mine'" in blog.printed


def test_in_a_new_kernel_the_newest_session_is_meant(blog_in_a_file):
    blog_in_a_file.good("del blog")
    assert blog_in_a_file.good("%wf state last")["value"] == ["cats"]
    assert "session 'blog'" in blog_in_a_file.printed


def test_where_nothing_is_kept_it_says_so(cells):
    assert len(cells.good("%wf sessions")) == 0
    assert one_line(cells.bad("%wf state")) == (
        "UnknownSession: memory: has no session yet; run a workflow, or name another place: --storage URL"
    )


def test_another_storage_is_named_by_its_address(blog_in_a_file):
    blog_in_a_file.good("from wf_notebook import open_storage\ns = open_storage('sqlite:///other.db').session('there')")
    blog_in_a_file.good("s.state['n'] = 1\ns.save()")
    assert blog_in_a_file.good("%wf sessions --storage sqlite:///other.db")["session_id"] == ["there"]
    assert blog_in_a_file.good("%wf state n --storage sqlite:///other.db")["value"] == [1]
    assert blog_in_a_file.good("%wf sessions")["session_id"] == ["blog"]


def test_the_state_is_shown_by_key_or_the_rows_at_a_path(blog):
    assert blog.good("%wf state")["key"] == ["posts", "last"]
    assert blog.good("%wf state posts")["title"] == ["cats", "dogs", "ducks"]
    assert blog.good("%wf state posts.0.title")["value"] == ["cats"]
    assert isinstance(blog.bad("%wf state postz"), UnknownPath)
    blog.good("%wf fork trial --at 1")
    assert blog.good("%wf state trial")["key"] == ["posts", "last"]


def test_runs_events_and_a_record_are_found_by_the_beginning_of_an_id(blog):
    runs = blog.good("%wf runs")
    assert runs["content"] == ["On ducks", "On dogs", "On cats"]
    run_id = runs["run_id"][2]
    assert "On cats" in blog.good(f"%wf events {run_id[:13]}")["content"]
    assert "On ducks" in blog.good("%wf events")["content"]
    record = blog.good(f"%wf show {run_id}")
    assert (type(record), record.content) == (Run, "On cats")
    assert isinstance(blog.bad("%wf events nope"), UnknownRun)


def test_what_differs_is_said_of_versions_and_of_sessions(blog):
    last = blog.good("%wf diff")
    assert (type(last), last.before, last.after) == (Diff, "blog:2", "blog:3")
    assert [each.kind for each in last] == ["added", "changed"]
    assert blog.good("%wf diff 1 3").before == "blog:1"
    assert (blog.good("%wf diff 1").before, blog.good("%wf diff 1").after) == ("blog:1", "blog:3")
    blog.good("%wf fork trial --at 1")
    assert (blog.good("%wf diff trial blog").before, blog.good("%wf diff trial blog").after) == ("trial:1", "blog:3")
    assert len(blog.good("%wf diff blog:1 trial:1")) == 0
    assert isinstance(blog.bad("%wf diff 1 2 3"), BadArguments)
    assert isinstance(blog.bad("%wf diff nope"), UnknownSession)
    assert isinstance(blog.bad("%wf diff 1 9"), UnknownVersion)


def test_versions_are_listed_with_what_each_changed(blog):
    assert [dict(each.changes) for each in blog.good("%wf versions")][1:] == [{"posts": "append", "last": "set"}] * 2


def test_sql_is_a_line_or_a_cell_and_no_brace_in_it_is_replaced(blog):
    assert blog.good("%wf sql SELECT count(*) AS n FROM runs")["n"] == [3]
    assert blog.good("%%wf sql\nSELECT count(*) AS n\nFROM runs -- all of them")["n"] == [3]
    assert blog.good("%wf sql SELECT '{nothing}' AS x")["x"] == ["{nothing}"]
    assert blog.good("%%wf sql -o found\nSELECT 1 AS n") is None
    assert blog.good("found['n']") == [1]
    assert isinstance(blog.bad("%wf sql DELETE FROM state_log"), BadQuery)
    assert isinstance(blog.bad("%wf sql"), BadArguments)


@pytest.mark.parametrize("end", ["-o q", "-o=q", "--out q", "--out=q", "--storage memory: -o q", "-o q --storage memory:"])
def test_an_option_may_stand_after_a_query(blog, end):
    assert blog.good(f"%wf sql SELECT 1 AS n {end}") is None
    assert blog.good("q['n']") == [1]


@pytest.mark.parametrize(
    "cell", ["%%wf sql -o q\nSELECT 1 AS n", "%%wf sql SELECT -o q\n1 AS n", "%%wf sql\nSELECT 1 AS n\n-o q"]
)
def test_an_option_may_stand_before_and_after_the_query_of_a_cell(blog, cell):
    assert blog.good(cell) is None
    assert blog.good("q['n']") == [1]


@pytest.mark.parametrize(
    "query",
    [
        "SELECT n -o q FROM t",
        "SELECT 3 -o AS q FROM t",
        "SELECT * FROM t ORDER BY n -o DESC",
        "SELECT '--out q' FROM t",
        "SELECT ' --out q' AS \" --out q\" FROM t",
        "SELECT n FROM t -- without --out q",
        "SELECT n FROM t /* --out q */",
        "SELECT n FROM t -- -o q",
    ],
)
def test_no_sql_is_read_as_an_option(blog, query):
    rows = blog.good(f"%wf sql WITH t AS (SELECT 5 AS n, 2 AS o) {query}")
    assert len(rows) == 1
    assert "q" not in blog.shell.user_ns
    assert blog.good(f"%%wf sql\nWITH t AS (SELECT 5 AS n, 2 AS o)\n{query}")[0] == rows[0]


def test_a_query_that_is_wrong_in_any_case_is_explained_without_the_option(blog):
    assert one_line(blog.bad("%wf sql SELECT * FROM nope -o q")).startswith("BadQuery: no such table: nope")


# -- acting --------------------------------------------------------------------------------------------------------------------


def test_restore_goes_back_in_the_live_workflow_too_and_says_how_to_undo_it(blog):
    blog.good("posts = blog.session_state['posts']")
    blog.good("%wf restore 1")
    assert "version 1, which is now version 4; %wf restore 3 undoes it" in blog.printed
    assert blog.good("blog.session_state") == {"posts": [{"title": "cats"}], "last": "cats"}
    blog.good("%wf restore 3")
    assert blog.good("blog.session_state['last']") == "ducks"
    blog.good("%wf restore 3")
    assert "as it was at version 3 already" in blog.printed


def test_what_is_unsaved_is_a_version_before_anything_is_restored(blog):
    blog.good("blog.session_state['draft'] = 'mine'")
    blog.good("%wf restore 1")
    assert "%wf restore 4 undoes it" in blog.printed
    blog.good("%wf restore 4")
    assert blog.good("blog.session_state['draft']") == "mine"


def test_a_workflow_beside_it_in_the_same_session_follows(blog):
    blog.good("other = Blog(session_id='blog', storage=blog.storage)\nother.session_state")
    blog.good("%wf restore 1")
    assert blog.good("other.session_state['last'], blog.session_state['last']") == ("cats", "cats")


def test_fork_begins_another_session_and_says_how_to_go_on_in_it(blog):
    session = blog.good("%wf fork trial --at 2")
    assert (session.session_id, session.state["last"]) == ("trial", "dogs")
    assert "%workflow blog -s trial goes on in it" in blog.printed
    assert isinstance(blog.bad("%wf fork trial"), SessionExists)
    assert isinstance(blog.bad("%wf fork"), BadArguments)


def test_a_new_name_stays_after_the_next_run(blog):
    blog.good("%wf rename My first blog")
    blog.good('%workflow blog -q topic="rats"')
    assert blog.good("%wf sessions")["session_name"] == ["My first blog"]


def test_delete_hides_and_prints_the_line_that_undoes_it(blog):
    blog.good("%wf delete")
    assert "session 'blog' is hidden; %wf restore --deleted blog brings it back" in blog.printed
    assert len(blog.good("%wf sessions")) == 0
    assert blog.good("blog.session_state") == {}
    blog.good("%wf restore --deleted blog")
    assert blog.good("blog.session_state['last']") == "ducks"
    assert blog.good("%wf sessions")["versions"] == [3]
    assert isinstance(blog.bad("%wf delete nope"), UnknownSession)
    assert isinstance(blog.bad("%wf restore --deleted blog"), UnknownSession)


@pytest.mark.parametrize("name", [EVIL, "{blog}", "-s", "my demo", "ann@example.com", "a:1", "日本"])
def test_a_session_with_any_name_is_deleted_and_brought_back_by_the_printed_line(blog, name):
    blog.shell.user_ns["name"] = name
    blog.good("blog.session.fork(name)")
    blog.good("%wf delete {name}")
    undo = re.search(r"%wf restore --deleted .*(?= brings)", blog.printed)[0]
    assert blog.good("%wf sessions")["session_id"] == ["blog"]
    blog.good(undo)
    assert set(blog.good("%wf sessions")["session_id"]) == {"blog", name}


def test_save_saves_what_is_unsaved_in_all_workflows(blog):
    blog.good("%wf save")
    assert blog.printed.strip() == "nothing is unsaved"
    blog.good("blog.session_state['x'] = 1\nother = Blog(session_id='other', storage=blog.storage)\nother.session_state['y'] = 2")
    blog.good("never = Blog(session_id='never', storage=blog.storage)\nnever.session_state")
    blog.good("%wf save")
    assert set(blog.printed.splitlines()) == {
        "session 'blog' is saved, as version 4",
        "session 'other' is saved, as version 1",
    }
    assert set(blog.good("%wf sessions")["session_id"]) == {"blog", "other"}


def test_save_says_of_each_value_that_cannot_be_kept_why(blog):
    blog.good("blog.session_state.update(client=object(), lock=object(), x=1)")
    error = blog.bad("%wf save")
    assert "session 'blog' is saved as version 4, but for what cannot be kept" in blog.printed
    lines = error._render_traceback_()
    assert all(f'session_state["{name}"]' in "\n".join(lines) for name in ("client", "lock"))
    assert blog.good("%wf versions")[-1].changes == {"x": "set"}
    assert 'not saved: session_state["client"]' in blog.printed


def test_save_after_the_file_was_held_by_another_program(blog_in_a_file):
    cells = blog_in_a_file
    cells.good("import duckdb\nmine = duckdb.connect('runs.duckdb', read_only=True)\nblog.session_state['x'] = 1")
    assert isinstance(cells.bad("%wf save"), StorageBusy)
    assert "session 'blog' is still unsaved" in cells.printed
    cells.good("mine.close()")
    cells.good("%wf save")
    assert "session 'blog' is saved, as version 2" in cells.printed


@pytest.mark.parametrize(("choice", "kept"), [("mine", 1), ("theirs", 2), ('{"n": 3}', 3), ("dict(n=4)", 4)])
def test_resolve_decides_a_conflict(blog, choice, kept):
    blog.good("blog.session_state['n'] = 0\nblog.write_to_storage()")
    blog.good("there = blog.storage.session('blog')\nthere.state['n'] = 2\nblog.session_state['n'] = 1\nthere.save()")
    assert isinstance(blog.bad("blog.write_to_storage()"), SessionConflict)
    blog.good(f"%wf resolve {choice}")
    assert "session 'blog' is decided, and saved as version" in blog.printed
    assert blog.good("blog.session_state['n'], blog.storage.session('blog').state['n']") == (kept, kept)


@pytest.fixture
def in_conflict(blog):
    """Return cells in which `n` and `m` were saved elsewhere while `blog` changed them too."""
    blog.good("blog.session_state.update(n=0, m=0)\nblog.write_to_storage()")
    blog.good("there = blog.storage.session('blog')\nthere.state.update(n=2, m=2, more=1)\nblog.session_state.update(n=1, m=1)")
    blog.good("there.save()")
    return blog


def test_a_conflict_can_be_looked_at_from_all_sides(in_conflict):
    error = in_conflict.bad("blog.write_to_storage()")
    assert one_line(error).endswith("; here %wf diff shows both sides, and %wf resolve mine (or theirs) decides")
    both = in_conflict.good("%wf diff")
    assert [(each.path, each.before, each.after) for each in both] == [
        ('session_state["n"]', 2, 1),
        ('session_state["m"]', 2, 1),
    ]
    assert "mine (unsaved)" in both._repr_html_()
    assert [each.version for each in in_conflict.good("%wf versions")] == [1, 2, 3, 4, 5]
    assert "not saved: session 'blog' is in a conflict; %wf diff shows both sides" in in_conflict.printed
    assert in_conflict.good("%wf diff 4 5").after == "blog:5"
    assert isinstance(in_conflict.bad("%wf restore 1"), SessionConflict)
    in_conflict.good("%wf delete")
    assert "session 'blog' is hidden" in in_conflict.printed


def test_each_key_of_a_conflict_may_be_decided_by_itself(in_conflict):
    assert isinstance(in_conflict.bad("%wf resolve mine n"), SessionConflict)
    in_conflict.good("%wf resolve theirs m -s blog")
    state = in_conflict.good("dict(blog.session_state)")
    assert (state["n"], state["m"], state["more"]) == (1, 2, 1)


def test_resolve_reads_options_after_a_dict_and_names_keys_that_are_in_no_conflict(in_conflict):
    assert "in no conflict: 'x'; in conflict: 'n', 'm'" in one_line(in_conflict.bad('%wf resolve {"x": 3}'))
    in_conflict.good('%wf resolve {"n": 3, "m": 4} --session blog')
    assert in_conflict.good("blog.session_state['n'], blog.session_state['m']") == (3, 4)


def test_without_a_conflict_resolve_says_so_and_saves_nothing(blog):
    blog.good("blog.session_state['n'] = 1")
    assert "NoConflict: session 'blog' is in no conflict" in one_line(blog.bad("%wf resolve theirs"))
    assert len(blog.good("blog.session.versions()")) == 3


def test_resolve_names_the_session_that_is_in_a_conflict(in_conflict):
    in_conflict.good('trial = Blog(session_id="trial", storage=blog.storage)\ntrial.run("x").result()')
    error = in_conflict.bad("%wf resolve mine")
    assert one_line(error).endswith("session 'trial' is in no conflict, but 'blog' is: write -s blog")


def test_resolve_needs_a_choice_and_a_live_workflow(blog):
    assert "write mine, theirs, or a dict" in one_line(blog.bad("%wf resolve ours"))
    blog.good("%wf fork trial")
    assert "no workflow here is in session 'trial'" in one_line(blog.bad("%wf resolve mine -s trial"))


# -- what cannot be read -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "kind", "said"),
    [
        ("%wf sesions", UnknownVerb, "%wf has no verb 'sesions'; did you mean 'sessions'?"),
        ("%wf models", UnknownVerb, "%wf has no verb 'models'; it is a command: !wf models"),
        ("%wf xyz", UnknownVerb, "%wf has no verb 'xyz'; there are sessions, inspect, state, "),
        ("%wf runs --sesion x", UnknownOption, "no option '--sesion'; did you mean '--session'?"),
        ("%wf runs -s blgo", UnknownSession, "no session 'blgo' in memory:; did you mean 'blog'?"),
        ("%wf runs -s blog -s blog", BadArguments, "--session is given twice; give it once"),
        ("%wf restore x", BadArguments, "'x' is no number of a version; write %wf restore 3; %wf versions lists them"),
        ("%wf restore", BadArguments, "write the version: %wf restore 3"),
        ("%wf restore 9", UnknownVersion, "session 'blog' has no version 9; there are 1 to 3"),
        ("%wf sessions all", UnknownSession, "no session begins with 'all' in memory:; %wf sessions lists those that there are"),
        ("%wf sessions a b", BadArguments, "write %wf sessions BEGINNING, not %wf sessions a b"),
        ("%wf sql SELEC 1", BadQuery, "syntax error"),
        ("%wf sessions --storage nope:x", BadStorage, "unknown kind of storage"),
        ("%wf state {nobody}", BadArguments, "{nobody} in %wf state has no value"),
        ("%wf state 'posts", BadArguments, "the quote in %wf state 'posts is never closed"),
        ("%%wf runs\nx", BadArguments, "%%wf runs is no cell; write %wf runs on a line of its own"),
    ],
)
def test_a_line_that_cannot_be_done_fails_in_one_line_with_a_remedy(blog, line, kind, said):
    error = blog.bad(line)
    assert (type(error), said in one_line(error)) == (kind, True), one_line(error)


def test_words_in_braces_are_replaced_by_their_values(blog):
    blog.good("where = 'posts'")
    assert blog.good("%wf state {where} -s {'bl' + 'og'}")["title"][0] == "cats"


def test_hostile_names_in_a_table_are_only_text(blog):
    blog.good("blog.session_state['<script>alert(1)</script>'] = '<img src=x onerror=alert(1)>'\nblog.write_to_storage()")
    for line in ("%wf state", "%wf diff", "%wf versions", "%wf sql SELECT * FROM session_state"):
        html = blog.good(line)._repr_html_()
        assert "<script" not in html
        assert "<img" not in html


# -- completion, and leaving ---------------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize(
    ("text", "completed"),
    [
        ("%wf se", ["%wf sessions"]),
        ("t = %wf ru", ["t = %wf runs"]),
        ("%wf restore --d", ["%wf restore --deleted"]),
        ("%wf runs --s", ["%wf runs --session", "%wf runs --storage"]),
        ("%wf runs -s b", ["%wf runs -s blog"]),
        ("%wf delete t", ["%wf delete trial"]),
        ("%wf resolve t", ["%wf resolve theirs"]),
        ("%wf state po", ["%wf state posts"]),
        ("%wf state -s trial la", ["%wf state -s trial last"]),
        ("%wf restore ", ["%wf restore 3", "%wf restore 2", "%wf restore 1"]),
        ("%wf restore -s trial ", ["%wf restore -s trial 1"]),
        ("%wf fork new --at ", ["%wf fork new --at 3", "%wf fork new --at 2", "%wf fork new --at 1"]),
        ("%wf restore --deleted ", ["%wf restore --deleted gone"]),
        ("%wf diff ", ["%wf diff 3", "%wf diff 2", "%wf diff 1", "%wf diff trial", "%wf diff blog"]),
        ("%wf sql SELECT * FROM sess", ["%wf sql SELECT * FROM session_state", "%wf sql SELECT * FROM sessions"]),
        ("%wf sql SELECT * FROM work", ["%wf sql SELECT * FROM workflow_sessions"]),
        ("%%wf sql\nSELECT *\nFROM eve", ["%%wf sql\nSELECT *\nFROM events"]),
    ],
)
def test_what_is_known_is_completed(blog, text, completed):
    blog.good("%wf fork trial\n%wf fork gone\n%wf delete gone")
    with provisionalcompleter():
        found = list(blog.shell.Completer.completions(text, len(text)))
    assert [text[: each.start] + each.text for each in found] == completed


@pytest.mark.slow
def test_runs_and_keys_in_conflict_are_completed(in_conflict):
    run_ids = in_conflict.good("%wf runs")["run_id"]
    with provisionalcompleter():
        for line, known in (("%wf show ", run_ids), ("%wf events ", run_ids), ("%wf resolve mine ", ["n", "m"])):
            assert [each.text for each in in_conflict.shell.Completer.completions(line, len(line))] == known


def test_branches_are_listed_only_when_they_are_asked_for(in_conflict):
    in_conflict.bad("blog.write_to_storage()")
    in_conflict.good("%wf resolve mine")
    assert in_conflict.good("%wf sessions")["session_id"] == ["blog"]
    branches = in_conflict.good("%wf sessions --all")["session_id"]
    assert len(branches) == 2
    assert all(each == "blog" or each.startswith("blog@") for each in branches)


def test_the_extension_takes_its_verbs_along_when_it_is_unloaded(cells):
    cells.good("%unload_ext wf_notebook")
    assert "wf" not in cells.shell.magics_manager.magics["line"]
    assert "wf" not in cells.shell.magics_manager.magics["cell"]


def test_a_purged_session_is_erased_and_the_live_workflow_begins_anew(blog):
    blog.good("%wf delete --purge")
    assert "session 'blog' is erased, and cannot be brought back" in blog.printed
    assert blog.good("blog.session_state") == {}
    assert blog.good("%wf sql SELECT count(*) AS n FROM state_log")["n"] == [0]
    assert isinstance(blog.bad("%wf restore --deleted blog"), UnknownSession)
    blog.good('%workflow blog -q topic="rats"')
    assert blog.good("%wf sessions")["versions"] == [1]


def test_a_hidden_session_can_still_be_purged_and_one_that_never_was_cannot(blog):
    blog.good("%wf fork trial")
    blog.good("%wf delete trial")
    blog.good("%wf delete trial --purge")
    assert isinstance(blog.bad("%wf restore --deleted trial"), UnknownSession)
    assert isinstance(blog.bad("%wf delete trial --purge"), UnknownSession)


def test_a_copy_into_another_store_has_what_was_unsaved_here(blog, tmp_path):
    other = open_storage(f"sqlite:///{tmp_path}/other.db")
    blog.good("blog.session_state['unsaved'] = 1")
    assert blog.good(f"%wf copy blog --to {other.url}")["done"] == ["copied"]
    assert other.session("blog").state["unsaved"] == 1
