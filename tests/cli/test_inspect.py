"""`wf inspect`: a session in the terminal, and as a page."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

pytestmark = pytest.mark.usefixtures("store")


def test_it_draws_a_session(wf):
    head, *lines = wf("inspect demo").output.splitlines()
    assert head.startswith("session demo · Blog · ✓ completed · version ")
    assert "   └─ 1: dict · 1 key  {'title': 'CHEESE'}" in lines


def test_it_writes_a_page_that_needs_no_script(wf):
    assert wf("inspect demo -o demo.html").output == "written: demo.html\n"
    page = Path("demo.html").read_text(encoding="utf-8")
    assert page.startswith("<!doctype html>")
    assert "<title>session demo</title>" in page
    assert "CHEESE" in page
    assert "<script" not in page


def test_it_replaces_no_file_unasked(wf):
    Path("demo.html").write_text("mine", encoding="utf-8")
    done = wf("inspect demo -o demo.html")
    assert (done.exit_code, done.stderr) == (
        2,
        "Error: 'demo.html' is there already; write --force to replace it, or name another file\n",
    )
    assert Path("demo.html").read_text(encoding="utf-8") == "mine"
    assert wf("inspect demo -o demo.html --force").exit_code == 0


def test_as_json_it_is_all_of_the_state(wf):
    found = json.loads(wf("inspect demo --json").stdout)
    assert found["state"] == {"posts": [{"title": "CHEESE"}, {"title": "CHEESE"}]}
    assert [run["status"] for run in found["runs"]] == ["completed", "completed"]
    assert found["versions"][0]["version"] == found["version"]


def test_a_session_that_is_not_there_is_named_with_the_nearest(wf, store):
    done = wf("inspect dmo")
    assert (done.exit_code, done.stderr) == (1, f"Error: no session 'dmo' in {store}; did you mean 'demo'?\n")


def test_it_opens_the_page_in_a_browser(process):
    script = Path("browser")
    script.write_text('#!/bin/sh\necho "$1" > opened\n', encoding="utf-8")
    script.chmod(0o700)
    done = process('TMPDIR=$PWD BROWSER="$PWD/browser" wf inspect demo --open')
    page = done.stdout.removeprefix("written: ").rstrip("\n")
    assert done.returncode == 0, done.stderr
    assert Path(page).read_text(encoding="utf-8").startswith("<!doctype html>")
    assert Path("opened").read_text(encoding="utf-8") == f"file://{page}\n"
