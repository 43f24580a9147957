from __future__ import annotations

from pydantic import BaseModel

from wf_notebook import RunEvent, RunResponse
from wf_notebook.render import (
    content_html,
    content_text,
    printed_bundle,
    record_bundle,
    record_metadata,
    response_bundle,
    run_bundle,
)
from wf_notebook.render.content import LIMIT, ROWS
from wf_notebook.render.transcript import contents


class Author(BaseModel):
    name: str
    born: int | None = None


class Headline(BaseModel):
    title: str
    tags: list[str] = []
    author: Author | None = None


def test_the_head_says_what_answered_and_when(run):
    text = run_bundle(run(models=("smollm2",), input_tokens=1000, output_tokens=234, cost=0.00123))["text/plain"]
    head, _, made = text.rpartition(" · ")
    assert head == "Blog · session demo · ✓ completed · smollm2 · 1,234 tokens · $0.0012 · 2.1 s"
    assert made.startswith("2026-11-2")


def test_the_head_names_a_session_that_nobody_named_by_its_beginning(run):
    session_id = "67f312f4-29fd-44e7-a127-c7b2c5b0c7ed"
    made = run(session_id=session_id)
    assert [part for part in run_bundle(made)["text/plain"].split(" · ") if "session" in part] == ["session 67f312f4…"]
    assert "session 67f312f4… · " in run_bundle(made)["text/html"]
    assert record_metadata(made)["session_id"] == session_id


def test_every_status_is_a_sign_and_a_word(run):
    statuses = {status: run_bundle(run(status=status)) for status in ("running", "completed", "failed", "stopped", "lost")}
    for status, sign in zip(statuses, "●✓✗■?", strict=True):
        assert f"{sign} {status}" in statuses[status]["text/plain"]
        assert f">{sign} {status}</span>" in statuses[status]["text/html"]


def test_a_record_by_itself_shows_the_text_that_the_run_keeps(run):
    bundle = run_bundle(run(content="*hello*"))
    assert "<em>hello</em>" in bundle["text/html"]
    assert bundle["text/plain"].endswith("\n\n*hello*")


def test_an_error_is_one_line_without_the_module_of_its_class(run):
    bundle = run_bundle(run(status="failed", error="my.module.Oops: first\nsecond " + "x" * 1000))
    assert "Oops: first second xxx" in bundle["text/plain"]
    assert "my.module" not in bundle["text/plain"]
    assert len(bundle["text/plain"].splitlines()[-1]) < 400


def test_changes_are_folded_and_show_the_beginning_of_large_values(run):
    state = {"posts": ["<b>" * 1000] * 100_000, "topic": "cats"}
    bundle = record_bundle(run(changes={"posts": "set", "topic": "set", "old": "delete"}), state=state)
    assert "<details><summary>session_state: 3 changes</summary>" in bundle["text/html"]
    assert "<tr><th>topic</th><td>set</td><td>&#x27;cats&#x27;</td></tr>" in bundle["text/html"]
    assert "<tr><th>old</th><td>delete</td><td></td></tr>" in bundle["text/html"]
    assert len(bundle["text/html"]) < 5000
    assert bundle["text/plain"].endswith("session_state: posts (set), topic (set), old (delete)")


def test_what_is_volatile_is_metadata(run):
    assert record_metadata(run()) == {
        "workflow": "Blog",
        "run_id": "r1",
        "session_id": "demo",
        "status": "completed",
        "started_at": "2026-11-23T01:45:00+00:00",
        "duration": 2.06,
    }


def test_text_is_joined_and_a_completion_that_repeats_it_is_left_out():
    model = Headline(title="x")
    said = [RunResponse("a"), RunResponse(None, event=RunEvent.tool_call_started), RunResponse("b"), RunResponse(model)]
    ended = [RunResponse("ab", event=RunEvent.workflow_completed), RunResponse(model, event=RunEvent.workflow_completed)]
    assert contents([*said, *ended]) == ["ab", model]
    assert contents([RunResponse("cached", event=RunEvent.workflow_completed)]) == ["cached"]


def test_models_and_dicts_are_tables():
    html = content_html(Headline(title="<Cats>", tags=["a", "b"], author=Author(name="Ada")))
    assert (html.count("<table>"), html.count('<table style="margin: 0">')) == (1, 1)  # the inner one begins where its cell does
    assert "&lt;Cats&gt;" in html
    assert '<ul style="margin: 0"><li>a</li><li>b</li></ul>' in html
    assert content_text(Headline(title="x")) == '{\n  "title": "x",\n  "tags": []\n}'
    assert content_html({1: None}).count("<td") == 1


def test_what_json_does_not_have_is_shown_as_it_prints():
    circle: list[object] = []
    circle.append(circle)
    assert content_text({(1, 2): {3}}) == '{\n  "(1, 2)": "{3}"\n}'
    assert content_text({3}) == "{3}"
    assert "[[...]]" in content_text(circle)
    assert "[[...]]" in content_html(circle)


def test_what_is_long_is_cut_with_a_note():
    note = "… cut here; 7 more characters are in the content of the response"
    assert note in content_html("x" * (LIMIT + 7))
    assert content_text("x" * (LIMIT + 7)).endswith(note)
    assert "… 3 more" in content_html(list(range(ROWS + 3)))
    assert "… 3 more" in content_html(dict.fromkeys(range(ROWS + 3)))


def test_a_response_without_content_shows_what_it_is():
    assert response_bundle(RunResponse(event=RunEvent.run_started))["text/plain"].startswith("RunResponse(content=None")


def test_secrets_are_redacted_everywhere(run, monkeypatch):
    secret = "sk-very-secret-1234"
    monkeypatch.setenv("DEMO_API_KEY", secret)
    record = run(
        session_id=secret, workflow=secret, status="failed", error=f"E: {secret}", models=(secret,), changes={secret: "set"}
    )
    bundle = record_bundle(record, [RunResponse(secret), RunResponse({"k": [secret], secret: 1})], state={secret: secret})
    assert "very-secret" not in "".join(bundle.values())


def test_no_half_of_a_secret_is_shown_where_text_is_cut(run, monkeypatch):
    secret = "sk-" + "very-secret-" * 3
    monkeypatch.setenv("DEMO_API_KEY", secret)
    state = {f"k{n}": "x" * n + secret + "y" * 1000 for n in range(250, 320)}
    bundle = record_bundle(run(changes=dict.fromkeys(state, "set")), [RunResponse("x" * (LIMIT - 9) + secret)], state=state)
    assert "very-secret" not in "".join(bundle.values())
    cut = content_html("x" * (LIMIT - 9) + secret) + content_text("x" * (LIMIT - 9) + secret)
    assert "sk-very" not in cut


def test_what_branches_said_side_by_side_stands_lane_by_lane():
    said = [RunResponse(text).stamped({"lane": lane}) for text, lane in [("a1 ", "one"), ("<b> ", "two"), ("a2", "one")]]
    bundle = printed_bundle([RunResponse("before"), *said, RunResponse("after")], markdown=True)
    assert bundle["text/plain"] == "before\n\n▸ one\na1 a2\n\n▸ two\n<b> \n\nafter"
    assert "a1 a2" in bundle["text/html"]
    assert "&lt;b&gt;" in bundle["text/html"]


def test_a_branch_that_failed_has_its_lane_and_says_so_with_a_sign_and_a_word():
    failed = RunResponse(event=RunEvent.run_error.value, extra_data={"error": "ValueError: <mine>\nsecond"})
    said = [RunResponse("part").stamped({"lane": "one"}), failed.stamped({"lane": "two"})]
    bundle = printed_bundle(said, markdown=True)
    assert bundle["text/plain"] == "▸ one\npart\n\n▸ two\n✗ failed: ValueError: <mine> second"
    assert ">✗ failed: ValueError: &lt;mine&gt; second</p>" in bundle["text/html"]
    assert response_bundle(failed)["text/plain"] == "✗ failed: ValueError: <mine> second"
    assert response_bundle(RunResponse(event=RunEvent.run_error.value, extra_data={}))["text/plain"] == "✗ failed"


def test_a_name_neither_steers_a_terminal_nor_turns_what_follows_around(run):
    bundle = run_bundle(
        run(workflow="\x1b[31mred\x1b[0m\x1b]8;;https://evil.example\x07", status="failed", error="E: \u202ekcab\x00")
    )
    for text in bundle.values():
        assert not {"\x1b", "\x07", "\x00", "\u202e"} & {*text}
        assert "\ufffdkcab\ufffd" in text
