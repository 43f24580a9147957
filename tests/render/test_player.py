"""A run as one file: it plays in any browser, offline, and nothing that was said runs in it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import expect

from wf_notebook import RunResponse, Workflow, parallel
from wf_notebook.render.player import page as as_page
from wf_notebook.render.player import score

PNG = b"\x89PNG\r\n\x1a\n"
HOSTILE = json.loads((Path(__file__).parents[1] / "data" / "hostile.json").read_text())


def told(name, count):
    def tell():
        for number in range(count):
            yield f"{name} {number}. "

    tell.__name__ = name
    return tell


def last(run):
    """Return the fields of the page when all was said."""
    return {name: value for _, changes in score(run)["moments"] for name, value in changes.items()}


class Debate(Workflow):
    def run(self, topic):
        self.session_state["topic"] = topic
        yield f"# On {topic}\n\n"
        self.write_to_storage()
        yield from parallel(told("optimist", 20)(), told("pessimist", 20)())
        self.session_state["over"] = True
        yield RunResponse(event="ToolCallStarted", tools=[{"tool_name": "search", "tool_call_id": "1"}])
        yield RunResponse(event="ToolCallCompleted", tools=[{"tool_name": "search", "tool_call_id": "1", "result": "quack"}])
        yield "The end."


@pytest.fixture(params=["memory:", "duckdb:///runs.duckdb", None])
def debate(request):
    debate = Debate(session_id="demo", storage=request.param)
    list(debate.run(topic="ducks"))
    return debate


def text(fields):
    pages = [fields[f"page_{number}"] for section in fields["sections"] for number in section["pages"]]
    return re.sub(r"<[^>]*>|\s", "", "".join(pages))


def test_all_that_was_said_is_in_the_last_moment(debate):
    fields = {}
    seconds = []
    for at, changes in score(debate.last_run)["moments"]:
        fields |= changes
        seconds.append(at)
    assert seconds == sorted(seconds)
    said = text(fields)
    for part in ("Onducks", "optimist19.", "pessimist19.", "search", "quack", "Theend."):
        assert part in said
    assert [section["title"] for section in fields["sections"]] == ["", "optimist", "pessimist", ""]


def test_the_state_changes_are_told_with_their_second(debate):
    changes = score(debate.last_run)["changes"]
    told = [("set", "over"), ("set", "topic")] if debate.storage else []  # without a storage nobody compares
    assert sorted((op, key) for _, key, op, _ in changes) == told
    assert all(0 <= at <= score(debate.last_run)["seconds"] + 1 for at, *_ in changes)


def test_a_run_of_the_store_plays_as_the_one_that_just_ended():
    debate = Debate(session_id="demo", storage="duckdb:///runs.duckdb")
    list(debate.run(topic="ducks"))
    assert as_page(debate.storage.run(debate.last_run.run_id)) == as_page(debate.last_run)


def test_it_is_one_file_that_can_fetch_nothing(debate):
    path = debate.last_run.to_html("run.html")
    html = path.read_text()
    assert (path, html.count("<script")) == (Path("run.html"), 2)
    assert "default-src 'none'" in html
    assert re.search(r"(?:src|href)=[\"']?https?:", html) is None


class Says(Workflow):
    def run(self, said):
        yield said


@pytest.mark.browser
def test_it_plays_is_scrubbed_and_lets_nothing_hostile_run(page):
    payloads = [each["text"].replace("{n}", str(n)) for n, each in enumerate(HOSTILE)]
    nasty = "\n\n".join(text for text in payloads if len(text) < 2000)
    page.add_init_script("window.hits = []; window.fired = n => window.hits.push(n);")
    workflow = Says(session_id=nasty[:200], name=f"Says {nasty[:300]}", storage="duckdb:///runs.duckdb")
    list(workflow.run(said=nasty))
    asked, dialogs = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    page.goto(workflow.last_run.to_html("nasty.html").resolve().as_uri())
    page.get_by_role("button", name="Again").wait_for()
    assert page.locator(".wf-live-body").inner_text().strip()
    assert (asked, dialogs) == ([asked[0]], [])
    assert page.evaluate("window.hits") == []

    debate = Debate(session_id="demo", storage="duckdb:///runs.duckdb")
    list(debate.run(topic="ducks"))
    page.goto(debate.last_run.to_html("debate.html").resolve().as_uri())
    page.get_by_role("button", name="Again").wait_for()
    expect(page.get_by_role("status")).to_have_text("✓ completed", use_inner_text=True)
    page.locator(".wf-live-content").get_by_text("The end.").wait_for()
    page.get_by_label("time in seconds").fill("0")
    expect(page.locator(".wf-live-content").get_by_text("The end.")).to_have_count(0)
    page.get_by_role("button", name="Play").click()
    page.locator(".wf-live-content").get_by_text("The end.").wait_for()


def test_the_folder_of_the_file_is_made(tmp_path):
    debate = Debate()
    debate.run(topic="ducks").result()
    path = debate.last_run.to_html(tmp_path / "shown" / "run.html")
    assert path.read_text().startswith("<!doctype html>")


@pytest.mark.parametrize("storage", [None, "memory:", "duckdb:///runs.duckdb"])
def test_pictures_play_as_themselves_also_where_a_store_has_only_their_names(storage):
    class Pictures(Workflow):
        def run(self):
            yield "Look: "
            yield RunResponse({"n": 1})
            yield RunResponse(Image.new("RGB", (2, 2)))
            yield RunResponse("and ", images=[PNG, "elsewhere.png"])

    pictures = Pictures(storage=storage)
    pictures.run().result()
    shown = "".join(value for name, value in last(pictures.last_run).items() if name.startswith("page_"))
    assert shown.count('<img src="data:image/png;base64,') == 2
    assert [shown.index(part) for part in ("Look", "<img", "and", "elsewhere.png")] == sorted(
        shown.index(part) for part in ("Look", "<img", "and", "elsewhere.png")
    )
